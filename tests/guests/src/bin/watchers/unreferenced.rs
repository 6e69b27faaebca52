//! Unreferenced handles do not keep the loop alive, but run in the iterations that there are.

use uv_handles::{Check, Handle, Idle, Loop, Prepare, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let (prepare, check) = (Prepare::new(&event_loop)?, Check::new(&event_loop)?);
    prepare.start_with(traces(&trace, "prepare"))?;
    check.start_with(traces(&trace, "check"))?;
    prepare.dereference()?;
    check.dereference()?;
    assert!(prepare.is_active() && !prepare.is_referenced() && !event_loop.is_alive());
    assert!(!event_loop.run(RunMode::Default)?);
    assert!(trace.is_empty(), "a run that has nothing to do makes no iteration");

    let timer = Timer::new(&event_loop)?;
    timer.start_with(10, 0, traces(&trace, "timer"))?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "prepare check timer");

    // A whole iteration follows the timers that are due at first, whatever is alive then.
    timer.start(0, 0)?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "timer prepare check");

    let idle = Idle::new(&event_loop)?;
    idle.start_with(Idle::stop)?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "prepare check");

    // An idle handle does as well.
    idle.start_with(traces(&trace, "idle"))?;
    idle.dereference()?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert!(trace.is_empty());
    timer.start(0, 0)?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "timer idle prepare check");

    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
