//! The differential test: random handle programs on native libuv, on the loop's core, and as a guest in
//! the sandbox.

mod sandbox;
mod wait;

use clap::Parser;
use sandbox::Sandbox;
use std::cell::LazyCell;
use std::process::ExitCode;
use uv_handles_conformance::{Options, check};

/// Compares random handle programs on native libuv, on the loop's core, and as a guest in the sandbox
#[derive(Debug, Parser)]
#[command(max_term_width = 100, args_override_self = true)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Not needed by the process that only shares the work out.
    let sandbox = LazyCell::new(Sandbox::new);
    let run = |program: &_| sandbox.run(program);
    check(&cli.options, vec![("sandbox", Box::new(run))]).unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}
