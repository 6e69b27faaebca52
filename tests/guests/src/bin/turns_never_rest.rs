//! A loop that always has something to do, for a reason that its argument names, until the
//! descriptor `peer` has something to read. It gives up after some seconds.

use std::time::{Duration, Instant};
use uv_handles::{Async, Descriptor, Handle, Idle, Loop, Poll, PollEvents, Result, RunMode, Timer};

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let peer = Descriptor::open("peer")?;
    Poll::new(&event_loop, &peer)?.start_with(PollEvents::READABLE, move |poll, _| {
        let bytes = peer.read_vec(64).expect("it is readable");
        println!("read {}", String::from_utf8_lossy(&bytes));
        poll.event_loop().handles().iter().for_each(Handle::close);
    })?;
    let begun = Instant::now();
    let called = move |event_loop: Loop| {
        if begun.elapsed() > Duration::from_secs(5) {
            println!("starved");
            event_loop.handles().iter().for_each(Handle::close);
        }
    };
    match std::env::args().nth(1).as_deref() {
        Some("idle") => Idle::new(&event_loop)?.start_with(move |idle| called(idle.event_loop()))?,
        Some("timer") => Timer::new(&event_loop)?.start_with(0, 1, move |timer| {
            timer.start(0, 0).expect("it is open");
            called(timer.event_loop());
        })?,
        Some("async") => {
            let sends = Async::new(&event_loop)?;
            sends.send()?;
            sends.set_callback(move |sends| {
                // A closed handle refuses, which is the end.
                called(sends.event_loop());
                let _ = sends.send();
            });
        }
        Some("ready") => {
            let ready = Descriptor::open("ready")?;
            Poll::new(&event_loop, &ready)?.start_with(PollEvents::READABLE, move |poll, _| {
                let _never_read = &ready;
                called(poll.event_loop());
            })?;
        }
        other => panic!("{other:?} is no reason"),
    }
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
