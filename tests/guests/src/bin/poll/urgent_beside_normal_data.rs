//! Urgent data is reported as such and not as readable; normal data that follows is readable, and
//! comes without the urgent byte. Writing goes on all the while.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode};
use uv_handles_test_guests::drain;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let socket = Descriptor::open("socket")?;
    let poll = Poll::new(&event_loop, &socket)?;
    let ready = Rc::new(Cell::new(PollEvents::NONE));
    poll.set_callback({
        let ready = ready.clone();
        move |_, events| ready.set(events.unwrap())
    });
    let next = || {
        ready.take();
        event_loop.run(RunMode::Once).unwrap();
        ready.get()
    };
    poll.start(PollEvents::PRIORITIZED | PollEvents::READABLE)?;
    println!("urgent");
    assert_eq!(next(), PollEvents::PRIORITIZED);
    poll.start(PollEvents::PRIORITIZED | PollEvents::READABLE | PollEvents::WRITABLE)?;
    assert_eq!(next(), PollEvents::PRIORITIZED | PollEvents::WRITABLE);
    assert_eq!(socket.write(b"foo"), Ok(3));

    // It stays until it is taken, which does not happen here.
    poll.start(PollEvents::READABLE)?;
    println!("normal");
    let mut bytes = Vec::new();
    while bytes.len() < 5 {
        assert_eq!(next(), PollEvents::READABLE);
        assert_eq!(drain(&socket, &mut bytes), Ok(false));
    }
    assert_eq!(bytes, b"world");
    poll.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
