//! The differential test: random handle programs on native libuv, on the loop's core, as a guest in the
//! sandbox, and as the same guest composed with the adapter.

mod composed;
mod sandbox;
mod wait;

use clap::Parser;
use composed::Composed;
use sandbox::Sandbox;
use std::cell::LazyCell;
use std::process::ExitCode;
use uv_handles_conformance::{Options, check};

mod bindings {
    wasmtime::component::bindgen!({ path: "conformance/guest/wit", world: "interpreter" });
}

/// Compares random handle programs on native libuv, on the loop's core, and as a guest in the sandbox
///
/// Guarded programs without poll and signal handles are compared with the adapter too.
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
    let composed = LazyCell::new(Composed::new);
    let in_sandbox = |program: &_| Some(sandbox.run(program));
    let in_composition = |program: &_| composed.run(program);
    check(&cli.options, vec![("sandbox", Box::new(in_sandbox)), ("adapter", Box::new(in_composition))])
        .unwrap_or_else(|error| {
            eprintln!("error: {error}");
            ExitCode::from(2)
        })
}
