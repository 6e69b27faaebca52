//! A guest without WASI: uv:handles is all that it imports, so the SDK needs no more.
//!
//! It is built for wasm32-unknown-unknown and found at target/guests/no-wasi.wasm.

use std::cell::Cell;
use std::rc::Rc;

use uv_handles::{Handle, Loop, RunMode, Timer};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "no-wasi" });
}

struct NoWasi;

impl bindings::Guest for NoWasi {
    fn run() -> Result<u32, String> {
        count_callbacks().map_err(|error| error.to_string())
    }
}

/// A timer that is called once, one that is called three times, and their two close callbacks.
fn count_callbacks() -> uv_handles::Result<u32> {
    let calls = Rc::new(Cell::new(0));
    let count = {
        let calls = Rc::clone(&calls);
        move || calls.set(calls.get() + 1)
    };
    let event_loop = Loop::new()?;

    let once = Timer::new(&event_loop)?;
    once.start_with(10, 0, {
        let count = count.clone();
        move |timer| {
            count();
            let count = count.clone();
            timer.close_with(move |_| count());
        }
    })?;

    let repeating = Timer::new(&event_loop)?;
    let mut left = 3;
    repeating.start_with(20, 5, move |timer| {
        count();
        left -= 1;
        if left == 0 {
            let count = count.clone();
            timer.close_with(move |_| count());
        }
    })?;

    event_loop.run(RunMode::Default)?;
    event_loop.close()?;
    Ok(calls.get())
}

bindings::export!(NoWasi with_types_in bindings);
