//! With priority data that was asked for, an error does not stop the handle: there is something to
//! read, and reading shows the error.

use std::rc::Rc;
use uv_handles::{Async, Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode, StatusCode};
use uv_handles_test_guests::{Trace, assert_refused};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let socket = Rc::new(Descriptor::open("socket")?);
    let poll = Poll::new(&event_loop, &socket)?;
    let asked = PollEvents::READABLE | PollEvents::PRIORITIZED;
    poll.set_callback({
        let trace = trace.clone();
        move |poll, ready| trace.add(format!("{ready:?} {}", poll.is_active()))
    });
    poll.start(PollEvents::PRIORITIZED)?;
    println!("ready");
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "Ok(PRIORITIZED) true");
    poll.stop();
    // Until the test has reset the connection.
    let other = Loop::new()?;
    Async::named(&other, "go")?.set_callback(Async::close);
    println!("urgent");
    other.run(RunMode::Default)?;
    poll.start(asked)?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), format!("Ok({asked:?}) true"));
    // A poll handle that did not ask for it gets the error.
    poll.start(PollEvents::READABLE)?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "Err(EBADF) false");
    assert_refused(socket.read_vec(1), StatusCode::ECONNRESET);
    poll.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
