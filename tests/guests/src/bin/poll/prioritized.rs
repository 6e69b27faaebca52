//! TCP's urgent data is reported to poll handles that ask for it, and to no others.

use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode};
use uv_handles_test_guests::Trace;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let socket = Descriptor::open("socket")?;
    let poll = Poll::new(&event_loop, &socket)?;
    let notes = |name: &'static str| {
        let trace = trace.clone();
        move |_: &Poll, ready| trace.add(format!("{name} {ready:?}"))
    };
    poll.start_with(PollEvents::PRIORITIZED, notes("urgent"))?;
    event_loop.run(RunMode::NoWait)?;
    assert!(trace.is_empty());
    println!("ready");
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "urgent Ok(PRIORITIZED)");
    poll.start_with(PollEvents::WRITABLE, notes("normal"))?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "normal Ok(WRITABLE)");
    poll.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
