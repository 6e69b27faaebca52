//! The differential test of the Rust SDK on the machine itself: native libuv, the loop's core
//! alone, and the SDK with its feature `native`.

#[path = "../../../conformance/guest/src/sdk.rs"]
mod sdk;

use clap::Parser;
use sdk::Sdk;
use std::process::ExitCode;
use uv_handles::{Signum, native};
use uv_handles_conformance::{Options, check};
use uv_handles_conformance_program::{Kind, Op, Outcome, Program, interpret};

/// Compares random handle programs on native libuv, on the loop's core, and on the Rust SDK
#[derive(Debug, Parser)]
#[command(max_term_width = 100, args_override_self = true)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    let sdk = Box::new(|program: &Program| run(program.clone()));
    check(&Cli::parse().options, vec![("SDK", sdk)]).unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}

/// Streams in memory are not the system's sockets, so programs with poll handles are left out.
fn run(program: Program) -> Option<Outcome> {
    if program.handles.iter().any(|declared| declared.kind == Kind::Poll) {
        return None;
    }
    // A thread has a clock of its own, which begins with 0.
    std::thread::spawn(move || {
        let guards = 0..program.loops;
        native::on_endless_wait(move || {
            for guard in guards.clone() {
                // Refused where the loop is closed.
                let _ = native::send(&format!("guard{guard}"));
            }
        });
        interpret(&program, |on_called| Sdk::new(&program, on_called, outside))
    })
    .join()
    .ok()
}

/// Does a step that a guest cannot do itself.
fn outside(op: &Op) -> String {
    match op {
        Op::Raise(signum) => native::raise(Signum::new(*signum)),
        Op::Burn(milliseconds) => native::work(*milliseconds),
        // Without poll handles there are no pairs.
        _ => return "no such pair".into(),
    }
    "ok".into()
}
