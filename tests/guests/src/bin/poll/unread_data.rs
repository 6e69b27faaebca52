//! Data that stays unread calls back in every iteration; when it is read, there is silence.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Check, Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode, StatusCode};
use uv_handles_test_guests::{Trace, assert_refused, drain, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let check = Check::new(&event_loop)?;
    check.start_with(traces(&trace, "check"))?;
    check.dereference()?;
    let socket = Rc::new(Descriptor::open("socket")?);
    let poll = Poll::new(&event_loop, &socket)?;
    let reads = Rc::new(Cell::new(false));
    poll.start_with(PollEvents::READABLE, {
        let (trace, reads, socket) = (trace.clone(), reads.clone(), socket.clone());
        move |poll, ready| {
            assert_eq!(ready, Ok(PollEvents::READABLE));
            let mut bytes = Vec::new();
            if !reads.get() {
                trace.add("unread");
            } else if drain(&socket, &mut bytes).unwrap() {
                trace.add("end");
                poll.close();
            } else {
                trace.add(String::from_utf8(bytes).unwrap());
            }
        }
    })?;
    for _ in 0..3 {
        event_loop.run(RunMode::Once)?;
        assert_eq!(trace.take(), "unread check");
    }
    // Half of it: the rest is still there.
    assert_eq!(socket.read_vec(2)?, b"fi");
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "unread check");
    // Stopped and started, it is looked at again.
    poll.stop();
    event_loop.run(RunMode::NoWait)?;
    assert!(trace.is_empty(), "nothing is alive");
    poll.start(PollEvents::READABLE)?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "unread check");

    reads.set(true);
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "rst check");
    for _ in 0..3 {
        event_loop.run(RunMode::NoWait)?;
        assert_eq!(trace.take(), "check");
    }
    assert_refused(socket.read_vec(1), StatusCode::EAGAIN);

    println!("send more");
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "second check");
    println!("end");
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "end check");
    check.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
