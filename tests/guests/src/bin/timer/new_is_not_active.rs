//! A timer that was never started: not active, no repeat, nothing due, and nothing to run for.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    assert!(!timer.is_active() && timer.is_referenced() && !timer.is_closing());
    assert_eq!((timer.repeat(), timer.due_in()), (Ok(0), Ok(0)));
    assert!(!event_loop.is_alive());
    assert!(!event_loop.run(RunMode::Default)?);
    // Stopping what was never started is no error.
    timer.stop();
    assert!(!timer.is_active());
    timer.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
