//! A descriptor that is closed here and lives on elsewhere disturbs no wait, whatever happens to it:
//! the loop waits for its timer, and the next poll handle, which may get the place of the old one, is
//! not called.

use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode, Timer};
use uv_handles_test_guests::Trace;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let shared = Descriptor::open("shared")?;
    let poll = Poll::new(&event_loop, &shared)?;
    poll.start_with(PollEvents::READABLE, {
        let trace = trace.clone();
        move |poll, ready| {
            trace.add(format!("{ready:?}"));
            poll.close();
        }
    })?;
    // Closed with its data unread, so that it stays ready.
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "Ok(READABLE)");
    drop(poll);
    drop(shared);

    let quiet = Descriptor::open("quiet")?;
    let poll = Poll::new(&event_loop, &quiet)?;
    let asked = PollEvents::READABLE | PollEvents::DISCONNECT;
    poll.start_with(asked, |_, ready| panic!("nothing happens there: {ready:?}"))?;
    println!("closed");
    let timer = Timer::new(&event_loop)?;
    timer.start_with(300, 0, {
        let trace = trace.clone();
        move |timer| {
            trace.add("timer");
            timer.event_loop().handles().iter().for_each(Handle::close);
        }
    })?;
    let begin = event_loop.now()?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "timer", "nothing has ended the wait before");
    assert!(event_loop.now()? - begin >= 300);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
