//! Many poll handles that are started and closed before the loop runs: none is called, all are
//! called back as closed, and their descriptors stay open.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let sockets: Vec<Descriptor> =
        (0..64).map(|n| Descriptor::open(&format!("socket{n}"))).collect::<Result<_>>()?;
    let closed = Rc::new(Cell::new(0));
    for socket in &sockets {
        let poll = Poll::new(&event_loop, socket)?;
        poll.start_with(PollEvents::READABLE | PollEvents::WRITABLE, |_, _| panic!("it is closed"))?;
        assert!(poll.is_active());
    }
    for handle in event_loop.handles() {
        handle.close_with({
            let closed = closed.clone();
            move |_| closed.set(closed.get() + 1)
        });
    }
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(closed.get(), 64);
    // Another handle for each of them is as good as the first.
    for socket in &sockets {
        Poll::new(&event_loop, socket)?.start_with(PollEvents::WRITABLE, |poll, ready| {
            assert_eq!(ready, Ok(PollEvents::WRITABLE));
            poll.close();
        })?;
    }
    assert!(!event_loop.run(RunMode::Default)?);
    event_loop.close()
}
