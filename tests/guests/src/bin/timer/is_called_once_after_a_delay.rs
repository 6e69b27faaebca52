//! A repeating timer whose deadline has passed twice over when the loop is run is called once in
//! that run, in both modes of one iteration.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, pass_time, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    for mode in [RunMode::Once, RunMode::NoWait] {
        let timer = Timer::new(&event_loop)?;
        event_loop.update_time()?;
        timer.start_with(10, 10, traces(&trace, "called"))?;
        pass_time(20)?;
        assert!(event_loop.run(mode)?);
        assert_eq!(trace.take(), "called", "{mode:?}");
        assert_eq!(timer.due_in(), Ok(10), "from the time of the call");
        timer.close();
        event_loop.run(RunMode::Default)?;
    }
    event_loop.close()
}
