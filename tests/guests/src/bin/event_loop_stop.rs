//! `stop` ends the run after the iteration in progress, and does not let it wait.

use uv_handles::{Check, Handle, Loop, Prepare, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

fn main() -> Result<()> {
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

    timer.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()?;
    // On a closed loop it does nothing.
    event_loop.stop();
    Ok(())
}
