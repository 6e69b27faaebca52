//! `stop` ends the run after the iteration in progress, and does not let it wait.

use uv_handles::{Check, Handle, Idle, Loop, Prepare, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let begin = event_loop.now()?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(1000, 0, traces(&trace, "timer"))?;
    let check = Check::new(&event_loop)?;
    check.start_with(traces(&trace, "check"))?;
    let prepare = Prepare::new(&event_loop)?;
    prepare.start_with({
        let trace = trace.clone();
        move |prepare| {
            trace.add("stop");
            prepare.event_loop().stop();
            assert_eq!(prepare.event_loop().poll_timeout(), Ok(Some(0)));
        }
    })?;
    assert!(event_loop.run(RunMode::Default)?, "it is alive, and could be run again");
    assert_eq!(trace.take(), "stop check");
    assert_eq!(event_loop.now()?, begin, "it has not waited");
    prepare.close();

    // Stopped while it does not run: the next run makes no iteration, the one after that does.
    event_loop.stop();
    assert!(event_loop.run(RunMode::Default)?);
    assert!(trace.is_empty());
    check.close();
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "timer");

    // That is so in all modes, and whatever the run has done, it ends with the flag cleared.
    for mode in [RunMode::Default, RunMode::Once, RunMode::NoWait] {
        timer.start_with(0, 0, {
            let trace = trace.clone();
            move |timer| {
                trace.add("timer");
                timer.event_loop().stop();
            }
        })?;
        event_loop.stop();
        assert!(event_loop.run(mode)?);
        assert!(trace.is_empty(), "{mode:?}");
        // Mode default calls it before the first iteration, which then does not come: what it answers is
        // that the loop was alive at entry.
        assert_eq!(event_loop.run(mode)?, mode == RunMode::Default, "{mode:?}");
        assert_eq!(trace.take(), "timer");
        timer.start_with(0, 0, traces(&trace, "called"))?;
        assert!(!event_loop.run(mode)?);
        assert_eq!(trace.take(), "called", "{mode:?}: the flag of the run before is cleared");
    }

    // Stopped by a timer that is due at first, mode default makes no iteration.
    let idle = Idle::new(&event_loop)?;
    idle.start_with(traces(&trace, "idle"))?;
    timer.start_with(0, 0, {
        let trace = trace.clone();
        move |timer| {
            trace.add("timer");
            timer.event_loop().stop();
        }
    })?;
    assert!(event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "timer");
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "idle");
    idle.close();

    timer.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()?;
    // On a closed loop it does nothing.
    event_loop.stop();
    Ok(())
}
