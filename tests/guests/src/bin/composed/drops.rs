//! Drops a loop, a poll handle and a descriptor in every order, before and after each step of their lives: nothing
//! traps, though WASI's resources have to be dropped before those that they belong to.

use uv::blocking::{Pulled, pull};
use uv::descriptors::Descriptor;
use uv::event_loop::Loop;
use uv::poll::Poll;
use uv::types::{PollEvents, RunMode};
use uv_handles::bindings::uv::handles as uv;

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

fn live(name: &str, events: PollEvents, until: Step) -> (Loop, Poll, Descriptor) {
    let descriptor = Descriptor::open(name).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let event_loop = Loop::create().unwrap();
    let poll = Poll::create(&event_loop, 0, &descriptor).unwrap();
    if until >= Step::Started {
        poll.start(events).unwrap();
        event_loop.begin(RunMode::Once).unwrap();
    }
    if until >= Step::Called {
        assert!(matches!(pull(&event_loop, 1), Ok(Pulled::Event(_))), "{name}");
    }
    if until >= Step::Written {
        // Some runtimes take everything.
        let _ = (0..20).take_while(|_| descriptor.write(&[7; 100_000]).is_ok()).count();
    }
    if until >= Step::Read {
        while descriptor.read(1000).is_ok_and(|bytes| !bytes.is_empty()) {}
        assert!(matches!(pull(&event_loop, 1), Ok(Pulled::Finished(true))), "{name}");
    }
    (event_loop, poll, descriptor)
}

pub fn main() {
    let all = PollEvents::all();
    for (name, events) in [("peer", all), ("peer", PollEvents::WRITABLE), ("stdin", all)] {
        for until in [Step::Made, Step::Started, Step::Called, Step::Written, Step::Read] {
            for order in ORDERS {
                let (event_loop, poll, descriptor) = live(name, events, until);
                let mut drops: [Option<Box<dyn FnOnce()>>; 3] = [
                    Some(Box::new(move || drop(event_loop))),
                    Some(Box::new(move || drop(poll))),
                    Some(Box::new(move || drop(descriptor))),
                ];
                for at in order {
                    drops[at].take().expect("each is dropped once")();
                }
            }
        }
    }
    println!("dropped");
}
