//! Mode once waits only if no idle handle was active when its iteration began.

use uv_handles::{Async, Handle, Idle, Loop, Prepare, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let begin = event_loop.now()?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(50, 0, traces(&trace, "timer"))?;

    // Stopped by the time of the poll, and yet the iteration does not wait.
    let idle = Idle::new(&event_loop)?;
    idle.start_with({
        let trace = trace.clone();
        move |idle| {
            trace.add("idle");
            idle.stop();
            assert_eq!(idle.event_loop().poll_timeout(), Ok(Some(50)));
        }
    })?;
    assert!(event_loop.run(RunMode::Once)?);
    assert_eq!((trace.take().as_str(), event_loop.now()? - begin), ("idle", 0));

    // The next one does, and what is due after the wait is called in it.
    assert!(!event_loop.run(RunMode::Once)?);
    assert_eq!((trace.take().as_str(), event_loop.now()? - begin), ("timer", 50));

    // An idle handle that is started in the iteration keeps it from waiting too.
    timer.start(50, 0)?;
    let prepare = Prepare::new(&event_loop)?;
    prepare.start_with({
        let idle = idle.clone();
        move |prepare| {
            idle.start().unwrap();
            prepare.stop();
        }
    })?;
    assert!(event_loop.run(RunMode::Once)?);
    assert_eq!((trace.take().as_str(), event_loop.now()? - begin), ("", 50));
    idle.stop();

    // In mode default, the loop waits as soon as no idle handle is active in the poll.
    idle.start()?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!((trace.take().as_str(), event_loop.now()? - begin), ("idle timer", 100));

    // An earlier send ends the wait, which would have no limit.
    let wake_up = Async::new(&event_loop)?;
    wake_up.send_with(traces(&trace, "woken"))?;
    assert!(event_loop.run(RunMode::Once)?);
    assert_eq!(trace.take(), "woken");

    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
