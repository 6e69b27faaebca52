//! The differential test: random handle programs on native libuv, on the loop's core, as a guest in
//! the sandbox, through the Rust SDK or the Python one, and as a guest composed with the adapter.

mod composed;
mod outside;
mod python;
mod sandbox;
mod wait;

use clap::Parser;
use composed::Composed;
use python::Python;
use sandbox::Sandbox;
use std::cell::LazyCell;
use std::process::ExitCode;
use uv_handles_conformance::{Options, Other, check};

mod bindings {
    wasmtime::component::bindgen!({ path: "conformance/guest/wit", world: "interpreter" });
}

/// Compares random handle programs on native libuv, on the loop's core, and as a guest in the
/// sandbox
///
/// Guarded programs without poll and signal handles are compared with the adapter too.
#[derive(Debug, Parser)]
#[command(max_term_width = 100, args_override_self = true)]
struct Cli {
    #[command(flatten)]
    options: Options,

    /// Runs them in the sandbox as a Python script, instead of as a guest in Rust
    #[arg(long)]
    python: bool,
}

/// The program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // The process that only distributes the work does not need it.
    let sandbox = LazyCell::new(Sandbox::new);
    let python = LazyCell::new(Python::new);
    let composed = LazyCell::new(Composed::new);
    let in_sandbox: Other<'_> = ("sandbox", Box::new(|program| Some(sandbox.run(program))));
    let in_composition: Other<'_> = ("adapter", Box::new(|program| composed.run(program)));
    let in_python: Other<'_> = ("python", Box::new(|program| Some(python.run(program))));
    let others = if cli.python { vec![in_python] } else { vec![in_sandbox, in_composition] };
    check(&cli.options, others).unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}
