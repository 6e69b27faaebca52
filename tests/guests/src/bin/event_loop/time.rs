//! `now` stands still until the loop refreshes it, and never goes back.

use std::time::Instant;
use uv_handles::{Handle, Loop, Result, RunMode, Timer};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let before = event_loop.now()?;
    let begin = Instant::now();
    while begin.elapsed().as_millis() < 20 {}
    assert_eq!(event_loop.now()?, before);
    event_loop.update_time()?;
    let after = event_loop.now()?;
    assert!(after >= before + 19, "{before}, {after}");

    // A timeout counts from the loop's now, not from the time of the call.
    let begin = Instant::now();
    while begin.elapsed().as_millis() < 20 {}
    let timer = Timer::new(&event_loop)?;
    timer.start_with(10, 0, move |timer| {
        assert!(timer.event_loop().now().unwrap() >= after + 10);
        timer.close();
    })?;
    assert_eq!(timer.due_in(), Ok(10));
    event_loop.update_time()?;
    assert_eq!(timer.due_in(), Ok(0));
    assert_eq!(event_loop.poll_timeout(), Ok(Some(0)));
    event_loop.run(RunMode::Default)?;
    assert!(event_loop.now()? >= after + 19);
    event_loop.close()
}
