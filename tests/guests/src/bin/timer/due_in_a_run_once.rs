//! Mode once calls a timer that is due, or becomes due while it waits, in that same run.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let begin = event_loop.now()?;
    let trace = Trace::new();
    let timer = Timer::new(&event_loop)?;
    timer.set_callback(traces(&trace, "called"));
    for (timeout, passed) in [(0, 0), (1, 1), (1000, 1001)] {
        timer.start(timeout, 0)?;
        assert!(!event_loop.run(RunMode::Once)?, "it is not alive any more");
        assert_eq!(trace.take(), "called");
        assert_eq!(event_loop.now()? - begin, passed);
    }
    timer.close();
    assert!(!event_loop.run(RunMode::Once)?);
    assert!(timer.is_closed());
    event_loop.close()
}
