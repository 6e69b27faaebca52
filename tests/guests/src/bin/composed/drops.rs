//! Drops a loop, its run, a poll handle and a descriptor in every order, before and after each step of their lives: nothing
//! traps, though WASI's resources have to be dropped before those that they belong to.

use std::ops::ControlFlow;
use uv::descriptors::Descriptor;
use uv::event_loop::{Loop, Run};
use uv::poll::Poll;
use uv::types::{PollEvents, RunMode};
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::go_on;

/// All orders of three.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// How far the lives go.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum Step {
    Made,
    Started,
    /// In the middle of a run, whose callback is due.
    Called,
    /// Something was written, and perhaps not sent yet.
    Written,
    Read,
}

fn live(name: &str, events: PollEvents, until: Step) -> (Loop, Option<Run>, Poll, Descriptor) {
    let descriptor = Descriptor::open(name).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let event_loop = Loop::create().unwrap();
    let poll = Poll::create(&event_loop, 0, &descriptor).unwrap();
    let mut run = None;
    if until >= Step::Started {
        poll.start(events).unwrap();
        run = Some(event_loop.begin(RunMode::Once).unwrap());
    }
    let go_on =
        || go_on(run.as_ref().expect("it is started")).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    if until >= Step::Called {
        assert!(matches!(go_on(), ControlFlow::Continue(_)), "{name}");
    }
    if until >= Step::Written {
        // Some runtimes take everything.
        let _ = (0..20).take_while(|_| descriptor.write(&[7; 100_000]).is_ok()).count();
    }
    if until >= Step::Read {
        while descriptor.read(1000).is_ok_and(|bytes| !bytes.is_empty()) {}
        assert!(matches!(go_on(), ControlFlow::Break(true)), "{name}");
    }
    (event_loop, run, poll, descriptor)
}

pub fn main() {
    let all = PollEvents::all();
    for (name, events) in [("peer", all), ("peer", PollEvents::WRITABLE), ("stdin", all)] {
        for until in [Step::Made, Step::Started, Step::Called, Step::Written, Step::Read] {
            for (at_run, order) in ORDERS.into_iter().enumerate() {
                let (event_loop, mut run, poll, descriptor) = live(name, events, until);
                let mut drops: [Option<Box<dyn FnOnce()>>; 3] = [
                    Some(Box::new(move || drop(event_loop))),
                    Some(Box::new(move || drop(poll))),
                    Some(Box::new(move || drop(descriptor))),
                ];
                for (place, at) in order.into_iter().enumerate() {
                    // The run goes before one of them, or after the last one.
                    if place == at_run % 4 {
                        run = None;
                    }
                    drops[at].take().expect("each is dropped once")();
                }
                drop(run);
            }
        }
    }
    println!("dropped");
}
