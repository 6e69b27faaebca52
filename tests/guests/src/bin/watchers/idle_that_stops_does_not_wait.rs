//! An iteration that began with an active idle handle does not wait, even if the handle stops itself
//! in it: mode once comes back, with the check handles called.

use uv_handles::{Async, Check, Handle, Idle, Loop, Result, RunMode};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let idle = Idle::new(&event_loop)?;
    idle.start_with({
        let trace = trace.clone();
        move |idle| {
            trace.add("idle");
            idle.stop();
        }
    })?;
    let check = Check::new(&event_loop)?;
    check.start_with(traces(&trace, "check"))?;
    // It is never sent, so a wait for it lasts for ever.
    let never = Async::new(&event_loop)?;
    assert!(event_loop.run(RunMode::Once)?);
    assert_eq!(trace.take(), "idle check");

    for handle in event_loop.handles() {
        handle.close_with({
            let trace = trace.clone();
            move |_| trace.add("closed")
        });
    }
    assert!(!event_loop.run(RunMode::Once)?);
    assert_eq!(trace.take(), "closed closed closed");
    assert!(idle.is_closed() && check.is_closed() && never.is_closed());
    event_loop.close()
}
