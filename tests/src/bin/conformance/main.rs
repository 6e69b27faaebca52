//! The differential test: random handle programs on native libuv, on the loop's core, and as a guest in
//! the sandbox, through the Rust SDK or the Python one.

mod outside;
mod python;
mod sandbox;
mod wait;

use clap::Parser;
use python::Python;
use sandbox::Sandbox;
use std::cell::LazyCell;
use std::process::ExitCode;
use uv_handles_conformance::{Options, Other, check};

/// Compares random handle programs on native libuv, on the loop's core, and as a guest in the sandbox
#[derive(Debug, Parser)]
#[command(max_term_width = 100, args_override_self = true)]
struct Cli {
    #[command(flatten)]
    options: Options,

    /// Runs them in the sandbox as a Python script, instead of as a guest in Rust
    #[arg(long)]
    python: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Not needed by the process that only shares the work out.
    let sandbox = LazyCell::new(Sandbox::new);
    let python = LazyCell::new(Python::new);
    let other: Other<'_> = match cli.python {
        false => ("sandbox", Box::new(|program| sandbox.run(program))),
        true => ("python", Box::new(|program| python.run(program))),
    };
    check(&cli.options, vec![other]).unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}
