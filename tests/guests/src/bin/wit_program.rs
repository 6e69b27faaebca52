//! Drives a loop with the bare interfaces, and blocks while it waits: the program of wit/README.md.

use uv_handles::bindings::uv::handles::blocking::wait;
use uv_handles::bindings::uv::handles::event_loop::{Loop, Step};
use uv_handles::bindings::uv::handles::handle::{AnyHandle, close};
use uv_handles::bindings::uv::handles::timer::Timer;
use uv_handles::bindings::uv::handles::types::{EventKind, RunMode};

const TICK: u64 = 7; // The token: any number that the guest finds its callback by.

fn main() {
    let event_loop = Loop::create().unwrap();
    let tick = Timer::create(&event_loop, TICK).unwrap();
    tick.start(10, 10).unwrap(); // Due in 10 ms, and every 10 ms from then on.

    let mut ticks = 0;
    let run = event_loop.begin(RunMode::Default).unwrap();
    let alive = loop {
        match run.next().unwrap() {
            Step::Event(event) => match (event.token, event.kind) {
                (TICK, EventKind::Callback) => {
                    ticks += 1;
                    println!("tick {ticks}");
                    if ticks == 3 {
                        close(&AnyHandle::Timer(&tick));
                    }
                }
                (TICK, EventKind::Closed) => println!("closed"),
                other => unreachable!("{other:?}"),
            },
            Step::Wait => wait(&run).unwrap(),
            Step::Finished(alive) => break alive,
        }
    };
    assert!(!alive);
    drop(run);
    drop(tick); // Frees the handle; the loop may be dropped before or after it.
    event_loop.close().unwrap();
}
