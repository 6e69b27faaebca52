//! Dropping a descriptor under an active poll handle stops the handle and calls it with EBADF.

use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode, StatusCode};
use uv_handles_test_guests::{Trace, assert_refused};

pub fn main() -> Result<()> {
    let (event_loop, other) = (Loop::new()?, Loop::new()?);
    let trace = Trace::new();
    let notes = |name: &str| {
        let (trace, name) = (trace.clone(), name.to_owned());
        move |poll: &Poll, ready| trace.add(format!("{name} {ready:?} {}", poll.is_active()))
    };
    let socket = Descriptor::open("socket")?;
    let [poll, stopped] = [(); 2].map(|()| Poll::new(&event_loop, &socket).unwrap());
    let in_other = Poll::new(&other, &socket)?;
    // Nothing has arrived, so only the drop can call them.
    poll.start_with(PollEvents::READABLE, notes("poll"))?;
    in_other.start_with(PollEvents::READABLE, notes("in-other"))?;
    stopped.set_callback(notes("stopped"));
    assert_eq!(poll.descriptor(), Some(socket.clone()));
    drop(socket);
    assert_eq!(poll.descriptor(), None);
    assert!(trace.is_empty(), "not inside the drop");
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "poll Err(EBADF) false");
    assert!(!other.run(RunMode::Default)?);
    assert_eq!(trace.take(), "in-other Err(EBADF) false");
    for poll in [&poll, &stopped, &in_other] {
        assert_refused(poll.start(PollEvents::READABLE), StatusCode::EBADF);
    }

    // The same name again is another descriptor, which the old handles have nothing to do with.
    let socket = Descriptor::open("socket")?;
    assert_refused(poll.start(PollEvents::READABLE), StatusCode::EBADF);
    let fresh = Poll::new(&event_loop, &socket)?;
    fresh.start_with(PollEvents::WRITABLE, notes("fresh"))?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "fresh Ok(WRITABLE) true");

    // In its own callback.
    let mut held = Some(socket);
    fresh.set_callback({
        let trace = trace.clone();
        move |poll, ready| {
            trace.add(format!("{ready:?} {}", poll.is_active()));
            drop(held.take());
        }
    });
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "Ok(WRITABLE) true Err(EBADF) false");

    for event_loop in [event_loop, other] {
        event_loop.handles().iter().for_each(Handle::close);
        event_loop.run(RunMode::Default)?;
        event_loop.close()?;
    }
    Ok(())
}
