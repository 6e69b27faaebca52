//! The benchmark's plugin: a loop and a repeating timer, which the embedder drives.

use uv_handles::{Loop, Timer};

mod bindings {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "ticker", generate_all });
}

use bindings::uv_handles::bench::control;

uv_handles::plugin!();

struct Component;

impl bindings::Guest for Component {
    fn tick(every: u64) {
        if every == 0 {
            return control::answer();
        }
        let event_loop = Loop::hosted().expect("there may be one");
        let timer = Timer::new(&event_loop).expect("there may be one");
        timer.start_with(every, every, |_| control::answer()).expect("it is open");
        control::begin();
    }
}

bindings::export!(Component with_types_in bindings);
