//! Waits without limit: for clients and a wake-up, and nothing comes.

use uv_handles::{Async, Descriptor, Loop, Poll, PollEvents, Result, RunMode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let clients = Descriptor::open("clients")?;
    let poll = Poll::new(&event_loop, &clients)?;
    poll.start_with(PollEvents::READABLE, |_, _| println!("a client"))?;
    let wake_up = Async::named(&event_loop, "wake-up")?;
    wake_up.set_callback(|_| println!("woken"));
    println!("waiting");
    event_loop.run(RunMode::Default)?;
    println!("no code runs after an interrupt");
    Ok(())
}
