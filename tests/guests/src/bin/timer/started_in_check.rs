//! A timer that a check callback starts afresh counts from then, and the iteration goes on as if it
//! had never been due: the prepare handle that is started beside it comes first.

use uv_handles::{Check, Handle, Loop, Prepare, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let begin = event_loop.now()?;
    let trace = Trace::new();
    let (timer, prepare) = (Timer::new(&event_loop)?, Prepare::new(&event_loop)?);
    let check = Check::new(&event_loop)?;
    timer.start_with(50, 0, traces(&trace, "replaced"))?;
    check.start_with({
        let (trace, timer, prepare) = (trace.clone(), timer.clone(), prepare.clone());
        move |check| {
            // The wait has ended because the timer is due: it would be called in this iteration.
            trace.add("check");
            assert_eq!((timer.is_active(), timer.due_in()), (true, Ok(0)));
            check.stop();
            timer.stop();
            timer.start_with(50, 0, traces(&trace, "timer")).unwrap();
            let trace = trace.clone();
            prepare
                .start_with(move |prepare| {
                    trace.add("prepare");
                    prepare.stop();
                })
                .unwrap();
        }
    })?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "check prepare timer");
    assert_eq!(event_loop.now()? - begin, 100);
    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Once)?;
    event_loop.close()
}
