//! Drives a loop with the bare interfaces: the program of wit/README.md.

use uv_handles::bindings::uv::handles::blocking::{Pulled, pull};
use uv_handles::bindings::uv::handles::event_loop::Loop;
use uv_handles::bindings::uv::handles::handle::{AnyHandle, close};
use uv_handles::bindings::uv::handles::timer::Timer;
use uv_handles::bindings::uv::handles::types::{Occurrence, RunMode};

const TICK: u64 = 7; // The token: any number that the guest finds its callback by.

fn main() {
    let event_loop = Loop::create().unwrap();
    let tick = Timer::create(&event_loop, TICK).unwrap();
    tick.start(10, 10).unwrap(); // Due in 10 ms, and every 10 ms from then on.

    let mut ticks = 0;
    event_loop.begin(RunMode::Default).unwrap();
    let alive = loop {
        match pull(&event_loop, 1).unwrap() {
            Pulled::Event(event) => match (event.token, event.what) {
                (TICK, Occurrence::Callback) => {
                    ticks += 1;
                    println!("tick {ticks}");
                    if ticks == 3 {
                        close(&AnyHandle::Timer(&tick));
                    }
                }
                (TICK, Occurrence::Closed) => println!("closed"),
                other => unreachable!("{other:?}"),
            },
            Pulled::Finished(alive) => break alive,
            several => unreachable!("one at a time was asked for: {several:?}"),
        }
    };
    assert!(!alive);
    drop(tick); // Frees the handle; the loop may be dropped before or after it.
    event_loop.close().unwrap();
}
