//! A connection that the peer resets stops the handle, which is called once with EBADF.

use std::rc::Rc;
use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode, StatusCode};
use uv_handles_test_guests::{Trace, assert_refused};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let socket = Rc::new(Descriptor::open("socket")?);
    let poll = Poll::new(&event_loop, &socket)?;
    poll.start_with(PollEvents::READABLE | PollEvents::DISCONNECT, {
        let trace = trace.clone();
        move |poll, ready| {
            assert!(!poll.is_active());
            trace.add(format!("{ready:?}"));
        }
    })?;
    println!("ready");
    assert!(!event_loop.run(RunMode::Default)?, "stopped, it does not keep the loop alive");
    assert_eq!(trace.take(), "Err(EBADF)");
    assert_refused(socket.read_vec(1), StatusCode::ECONNRESET);
    // Reading has taken the error away; what is left is the end.
    poll.start(PollEvents::READABLE)?;
    poll.set_callback({
        let trace = trace.clone();
        move |poll, ready| {
            trace.add(format!("{ready:?}"));
            poll.close();
        }
    });
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "Ok(READABLE)");
    assert_eq!(socket.read_vec(1), Ok(vec![]));
    event_loop.close()
}
