//! An event that was collected for a handle is dropped when a callback of the same iteration stops,
//! closes or restarts the handle.

use std::cell::RefCell;
use std::rc::Rc;
use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode};
use uv_handles_test_guests::Trace;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let sockets: Vec<Descriptor> =
        ["one", "two", "three"].into_iter().map(Descriptor::open).collect::<Result<_>>()?;
    for what in ["stop", "close", "restart"] {
        let polls: Vec<Poll> =
            sockets.iter().map(|socket| Poll::new(&event_loop, socket)).collect::<Result<_>>()?;
        let others = Rc::new(RefCell::new(polls.clone()));
        for poll in &polls {
            let (trace, others) = (trace.clone(), others.clone());
            poll.start_with(PollEvents::WRITABLE, move |poll, ready| {
                trace.add(format!("{ready:?}"));
                // The first to be called: which one that is, is the OS's choice.
                for other in others.take().into_iter().filter(|other| other != poll) {
                    match what {
                        "stop" => other.stop(),
                        "close" => other.close(),
                        _ => other.start(PollEvents::READABLE).unwrap(),
                    }
                }
            })?;
        }
        event_loop.run(RunMode::Once)?;
        assert_eq!(trace.take(), "Ok(WRITABLE)", "{what}");
        polls.iter().for_each(Handle::close);
        event_loop.run(RunMode::NoWait)?;
        assert!(trace.is_empty() && polls.iter().all(Handle::is_closed), "{what}");
    }
    event_loop.close()
}
