//! A timer without a repeat is called once, at its deadline, and is stopped by then.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::Trace;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    let begin = event_loop.now()?;
    let trace = Trace::new();
    timer.start_with(250, 0, {
        let trace = trace.clone();
        move |timer| {
            let now = timer.event_loop().now().unwrap();
            assert!(!timer.is_active());
            assert_eq!(timer.due_in(), Ok(0));
            trace.add(format!("{}", now - begin));
        }
    })?;
    assert!(timer.is_active() && event_loop.is_alive());
    assert_eq!(timer.due_in(), Ok(250));
    assert_eq!(event_loop.poll_timeout(), Ok(Some(250)));

    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "250");
    assert!(!timer.is_active() && !event_loop.is_alive());

    timer.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
