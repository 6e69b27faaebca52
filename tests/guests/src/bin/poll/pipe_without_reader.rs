//! A pipe without a reader: EBADF, once, and EPIPE for a write.

use std::rc::Rc;
use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode, StatusCode};
use uv_handles_test_guests::{Trace, assert_refused};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let pipe = Rc::new(Descriptor::open("pipe")?);
    let poll = Poll::new(&event_loop, &pipe)?;
    poll.start_with(PollEvents::WRITABLE, {
        let trace = trace.clone();
        move |poll, ready| {
            trace.add(format!("{ready:?} {}", poll.is_active()));
        }
    })?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "Err(EBADF) false");
    assert_refused(pipe.write(b"x"), StatusCode::EPIPE);
    // Started again, it is reported again, and again once.
    poll.start(PollEvents::WRITABLE)?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "Err(EBADF) false");
    poll.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
