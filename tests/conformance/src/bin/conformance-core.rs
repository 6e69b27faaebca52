//! The differential test without the sandbox: native libuv and the loop's core alone.

use clap::Parser;
use std::process::ExitCode;
use uv_handles_conformance::{Options, check};

/// Compares random handle programs on native libuv and on the loop's core
#[derive(Debug, Parser)]
#[command(max_term_width = 100, args_override_self = true)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    check(&Cli::parse().options, Vec::new()).unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}
