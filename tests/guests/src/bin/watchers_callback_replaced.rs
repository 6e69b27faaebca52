//! A callback given with `start` replaces the one before, also on a started handle; one that is
//! replaced while it runs is called to its end.

use uv_handles::{Error, Handle, Idle, Loop, Result, RunMode};
use uv_handles_test_guests::{Trace, traces};

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let idle = Idle::new(&event_loop)?;
    // Without a callback it is simply not called.
    idle.start()?;
    event_loop.run(RunMode::NoWait)?;

    idle.start_with(traces(&trace, "old"))?;
    idle.start_with(traces(&trace, "new"))?;
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "new");

    idle.set_callback({
        let trace = trace.clone();
        move |idle| {
            idle.set_callback(traces(&trace, "replaced"));
            trace.add("replacing");
        }
    });
    event_loop.run(RunMode::NoWait)?;
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "replacing replaced");

    idle.close();
    assert_eq!(idle.start_with(traces(&trace, "refused")), Err(Error::HandleClosed));
    event_loop.run(RunMode::Default)?;
    assert!(trace.is_empty());
    event_loop.close()
}
