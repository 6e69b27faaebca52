//! A prepare handle, alone in its loop, that dereferences itself in its callback: the iteration does
//! not wait, and the run ends after it.

use uv_handles::{Handle, Loop, Prepare, Result, RunMode};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let prepare = Prepare::new(&event_loop)?;
    prepare.start_with({
        let trace = trace.clone();
        move |prepare| {
            trace.add("prepare");
            prepare.dereference().unwrap();
        }
    })?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "prepare");
    assert!(prepare.is_active() && !prepare.is_referenced());
    prepare.close_with(traces(&trace, "closed"));
    assert!(trace.is_empty());
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "closed");
    event_loop.close()
}
