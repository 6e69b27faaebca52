//! Traps when the first client comes, with everything still open.

use uv_handles::{Descriptor, Loop, Poll, PollEvents, Result, RunMode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let listener = Descriptor::open("clients")?;
    let poll = Poll::new(&event_loop, &listener)?;
    poll.start_with(PollEvents::READABLE, move |_, _| {
        let client = listener.accept();
        panic!("as it is meant to, with {client:?}");
    })?;
    event_loop.run(RunMode::Default)?;
    Ok(())
}
