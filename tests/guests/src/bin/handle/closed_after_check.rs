//! Whatever a timer and a check callback close is called back in the closing phase after the check
//! phase, never before.

use uv_handles::{Check, Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let (timer, never) = (Timer::new(&event_loop)?, Timer::new(&event_loop)?);
    let check = Check::new(&event_loop)?;
    check.start_with({
        let (trace, never) = (trace.clone(), never.clone());
        move |check| {
            trace.add("check");
            check.close_with(traces(&trace, "check-closed"));
            never.close_with(traces(&trace, "never-closed"));
        }
    })?;
    timer.start_with(0, 0, {
        let trace = trace.clone();
        move |timer| {
            trace.add("timer");
            timer.close_with(traces(&trace, "timer-closed"));
        }
    })?;
    never.start_with(100_000, 0, traces(&trace, "never"))?;
    let begin = event_loop.now()?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "timer check never-closed check-closed timer-closed");
    assert_eq!(event_loop.now()?, begin, "it has not waited for the other timer");
    event_loop.close()
}
