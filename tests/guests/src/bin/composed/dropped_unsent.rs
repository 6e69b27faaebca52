//! Drops a descriptor to which more was written than its peer has read, and goes on: the drop does not block, and the
//! rest is sent meanwhile. It ends when its other descriptor ends.

use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let (socket, other) = (Descriptor::open("socket")?, Descriptor::open("other")?);
    let mut written = 0;
    // Some runtimes take everything.
    while written < 100_000_000
        && let Ok(length) = socket.write(&[7; 100_000])
    {
        written += length;
    }
    drop(socket);
    println!("{written}");
    let poll = Poll::new(&event_loop, &other)?;
    poll.start_with(PollEvents::READABLE, move |poll, _| {
        if other.read_vec(1).is_ok_and(|bytes| bytes.is_empty()) {
            poll.close();
        }
    })?;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
