//! The phases of an iteration: idle, prepare, events, check, close callbacks, timers. Only in mode
//! default, timers that are due come before all that, once.

use uv_handles::{Async, Check, Handle, Idle, Loop, Prepare, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

fn iteration(mode: RunMode) -> Result<String> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let timer = Timer::new(&event_loop)?;
    timer.start_with(0, 0, traces(&trace, "timer"))?;
    let check = Check::new(&event_loop)?;
    check.start_with(traces(&trace, "check"))?;
    let prepare = Prepare::new(&event_loop)?;
    prepare.start_with(traces(&trace, "prepare"))?;
    let closing = Idle::new(&event_loop)?;
    closing.close_with(traces(&trace, "closed"));
    let event = Async::new(&event_loop)?;
    event.send_with(traces(&trace, "event"))?;
    let idle = Idle::new(&event_loop)?;
    idle.start_with({
        let trace = trace.clone();
        move |idle| {
            trace.add("idle");
            idle.event_loop().stop();
        }
    })?;
    assert!(event_loop.run(mode)?);
    event_loop.handles().iter().for_each(Handle::close);
    let happened = trace.take();
    event_loop.run(RunMode::Default)?;
    event_loop.close()?;
    Ok(happened)
}

pub fn main() -> Result<()> {
    assert_eq!(iteration(RunMode::Once)?, "idle prepare event check closed timer");
    assert_eq!(iteration(RunMode::NoWait)?, "idle prepare event check closed timer");
    assert_eq!(iteration(RunMode::Default)?, "timer idle prepare event check closed");
    Ok(())
}
