//! One active poll handle for a descriptor in a loop: a second one is EEXIST. In another loop it is
//! none of the first one's business.

use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode, StatusCode};
use uv_handles_test_guests::{Trace, assert_refused};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let socket = Descriptor::open("socket")?;
    let [first, second] = [(); 2].map(|()| Poll::new(&event_loop, &socket).unwrap());
    first.start(PollEvents::WRITABLE)?;
    assert_refused(Poll::new(&event_loop, &socket), StatusCode::EEXIST);
    assert_refused(second.start(PollEvents::READABLE), StatusCode::EEXIST);
    assert!(!second.is_active() && first.is_active());
    first.start(PollEvents::READABLE)?;
    first.start(PollEvents::WRITABLE)?;

    let trace = Trace::new();
    let other = Loop::new()?;
    let in_other = Poll::new(&other, &socket)?;
    for (poll, name) in [(&first, "first"), (&second, "second"), (&in_other, "in-other")] {
        let trace = trace.clone();
        poll.set_callback(move |_, ready| trace.add(format!("{name} {:?}", ready.unwrap())));
    }
    in_other.start(PollEvents::WRITABLE)?;
    event_loop.run(RunMode::Once)?;
    other.run(RunMode::Once)?;
    assert_eq!(trace.take(), "first WRITABLE in-other WRITABLE");

    // Both ways of stopping make room, before the loop has looked at the descriptor again.
    first.stop();
    second.start(PollEvents::WRITABLE)?;
    assert_refused(first.start(PollEvents::READABLE), StatusCode::EEXIST);
    second.start(PollEvents::NONE)?;
    assert!(!second.is_active());
    first.start(PollEvents::WRITABLE)?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "first WRITABLE");
    // So does closing, at once.
    first.close();
    second.start(PollEvents::WRITABLE)?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "second WRITABLE");

    for event_loop in [event_loop, other] {
        event_loop.handles().iter().for_each(Handle::close);
        event_loop.run(RunMode::Default)?;
        event_loop.close()?;
    }
    Ok(())
}
