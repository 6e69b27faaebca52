//! Every handle of the loop is listed, active or not, also from inside a callback, until its close
//! callback has been called.

use uv_handles::{AnyHandle, Handle, Idle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::Trace;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    assert!(event_loop.handles().is_empty());
    let trace = Trace::new();
    let timer = Timer::new(&event_loop)?;
    let never_started = Idle::new(&event_loop)?;
    let both: [AnyHandle; 2] = [timer.clone().into(), never_started.into()];
    timer.start_with(1, 0, {
        let (trace, both) = (trace.clone(), both.clone());
        move |timer| {
            assert_eq!(timer.event_loop().handles(), both, "in order of making");
            let both_inside = both.clone();
            timer.close_with(move |timer| {
                // The Rust value is closed afterwards, the list does without it already.
                let listed = timer.event_loop().handles();
                assert!(listed == both_inside || listed == both_inside[1..]);
            });
            assert_eq!(timer.event_loop().handles(), both, "closing is not closed");
            trace.add("called");
        }
    })?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "called");
    assert_eq!(event_loop.handles(), both[1..]);
    both[1].close();
    event_loop.run(RunMode::Default)?;
    assert!(event_loop.handles().is_empty());
    event_loop.close()
}
