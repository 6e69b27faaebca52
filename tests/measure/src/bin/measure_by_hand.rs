//! The same with `wasi:io/poll` and no loop: what waiting for a time costs whoever writes that by hand.

use std::time::{Duration, Instant};

mod bindings {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "by-hand", generate_all });
}

use bindings::wasi::clocks::monotonic_clock::{now, subscribe_instant};

const CALLS: u32 = 200_000;
const WAITS: u32 = 500;

fn main() {
    println!("timer, subscribed and ready at once: {} ns", timed(CALLS, 0).as_nanos());
    println!("timer of 1 ms: {} us", timed(WAITS, 1_000_000).as_micros());
}

fn timed(times: u32, timeout: u64) -> Duration {
    let begin = Instant::now();
    for _ in 0..times {
        subscribe_instant(now() + timeout).block();
    }
    begin.elapsed() / times
}
