//! The guest of the differential test: runs handle programs through the SDK, as any guest would.

mod sdk;

use sdk::Sdk;
use uv_handles_conformance_program::{Op, interpret, script};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "interpreter" });
}

use bindings::uv_conformance::guest::control;

struct Component;

impl bindings::Guest for Component {
    fn interpret(program: String) -> Result<Vec<String>, String> {
        let program = script::parse(&program)?;
        Ok(interpret(&program, |on_called| Sdk::new(&program, on_called, outside)).trace)
    }
}

bindings::export!(Component with_types_in bindings);

/// The host does what the guest cannot.
fn outside(op: &Op) -> String {
    control::step(&op.to_string())
}
