//! Writes until nothing more fits, is not called then, and is again when the peer has read.

use std::rc::Rc;
use uv_handles::{Descriptor, Error, Handle, Loop, Poll, PollEvents, Result, RunMode, StatusCode};
use uv_handles_test_guests::Trace;

fn fill(socket: &Descriptor) -> usize {
    let mut total = 0;
    loop {
        match socket.write(&[7; 10_000]) {
            Ok(written) => total += written,
            Err(Error::Status(StatusCode::EAGAIN)) => return total,
            Err(error) => panic!("{error}"),
        }
    }
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let socket = Rc::new(Descriptor::open("socket")?);
    let poll = Poll::new(&event_loop, &socket)?;
    poll.start_with(PollEvents::READABLE | PollEvents::WRITABLE, {
        let trace = trace.clone();
        move |_, ready| trace.add(format!("{:?}", ready.unwrap()))
    })?;
    for _ in 0..2 {
        event_loop.run(RunMode::Once)?;
        assert_eq!(trace.take(), "WRITABLE");
    }
    let written = fill(&socket);
    assert!(written > 0);
    event_loop.run(RunMode::NoWait)?;
    assert!(trace.is_empty());
    println!("{written}");
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "WRITABLE");
    poll.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
