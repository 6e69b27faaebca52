//! A poll handle for a descriptor that polls others itself: ready when one of them is.

use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode};
use uv_handles_test_guests::Trace;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let poller = Descriptor::open("poller")?;
    let poll = Poll::new(&event_loop, &poller)?;
    poll.start_with(PollEvents::READABLE, {
        let trace = trace.clone();
        move |poll, ready| {
            trace.add(format!("{ready:?}"));
            poll.close();
        }
    })?;
    assert!(event_loop.run(RunMode::NoWait)?, "it watches nothing");
    assert!(trace.is_empty());
    println!("waiting");
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "Ok(READABLE)");
    event_loop.close()
}
