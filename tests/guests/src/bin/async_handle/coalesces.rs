//! Sends before the callback are one callback; a send after it began is another one.

use std::cell::Cell;
use uv_handles::{Async, Error, Handle, Loop, Result, RunMode};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let handle = Async::new(&event_loop)?;
    assert!(handle.is_active() && event_loop.is_alive(), "from its making");
    for _ in 0..3 {
        handle.send_with(traces(&trace, "old"))?;
    }
    handle.send_with(traces(&trace, "called"))?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "called");
    event_loop.run(RunMode::NoWait)?;
    assert!(trace.is_empty());

    let again = Cell::new(true);
    handle.send_with({
        let trace = trace.clone();
        move |handle| {
            trace.add("called");
            if again.take() {
                handle.send().unwrap();
                handle.send().unwrap();
            }
        }
    })?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "called", "the second call comes in the next poll");
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "called");

    // A message that is pending when the handle is closed is not delivered.
    handle.send()?;
    handle.close_with(traces(&trace, "closed"));
    assert_eq!(handle.send(), Err(Error::HandleClosed));
    assert!(!handle.is_active());
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "closed");
    event_loop.close()
}
