//! A loop that is stopped before it runs calls nothing in that run, not even what is due, and tells
//! that it is alive. The run after that calls it.

use uv_handles::{Async, Handle, Idle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    for mode in [RunMode::Default, RunMode::Once, RunMode::NoWait] {
        let (timer, idle) = (Timer::new(&event_loop)?, Idle::new(&event_loop)?);
        let wake_up = Async::new(&event_loop)?;
        timer.start_with(0, 0, traces(&trace, "timer"))?;
        idle.start_with(traces(&trace, "idle"))?;
        wake_up.send_with(traces(&trace, "wake-up"))?;
        event_loop.stop();
        assert!(event_loop.run(mode)?, "{mode:?}");
        assert!(trace.is_empty(), "{mode:?}");
        assert!(timer.is_active());

        assert!(event_loop.run(RunMode::Once)?);
        assert_eq!(trace.take(), "idle wake-up timer", "{mode:?}");
        event_loop.handles().iter().for_each(Handle::close);
        assert!(!event_loop.run(RunMode::Default)?);
    }
    event_loop.close()
}
