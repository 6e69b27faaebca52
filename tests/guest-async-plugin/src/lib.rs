//! A plugin whose async exports are suspended while its timers call back.

use std::cell::Cell;
use uv_handles::{Idle, Loop, Timer};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_code,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "async-plugin" });
}

uv_handles::plugin!();

struct Component;

thread_local! {
    static EVENT_LOOP: Loop = Loop::hosted().expect("there may be one");
    static TICKS: Cell<u32> = const { Cell::new(0) };
}

fn event_loop() -> Loop {
    EVENT_LOOP.with(Loop::clone)
}

impl bindings::Guest for Component {
    fn tick(every: u64) {
        let timer = Timer::new(&event_loop()).unwrap();
        timer.start_with(every, every, |_| TICKS.set(TICKS.get() + 1)).unwrap();
    }

    fn trap_later(milliseconds: u64) {
        let timer = Timer::new(&event_loop()).unwrap();
        timer.start_with(milliseconds, 0, |_| panic!("the plugin fails")).unwrap();
    }

    async fn work(number: u32) -> u32 {
        let before = TICKS.get();
        bindings::pause(number).await;
        TICKS.get() - before
    }

    fn spin() {
        Idle::new(&event_loop()).unwrap().start_with(|_| TICKS.set(TICKS.get() + 1)).unwrap();
    }
}

bindings::export!(Component with_types_in bindings);
