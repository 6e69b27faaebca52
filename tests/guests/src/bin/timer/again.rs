//! `again` restarts a repeating timer, does nothing without a repeat, and refuses a timer that was
//! never started.

use uv_handles::{Error, Handle, Loop, Result, RunMode, StatusCode, Timer};
use uv_handles_test_guests::{Trace, assert_refused};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let begin = event_loop.now()?;
    let trace = Trace::new();
    let timer = Timer::new(&event_loop)?;
    timer.set_callback({
        let trace = trace.clone();
        move |timer| trace.add((timer.event_loop().now().unwrap() - begin).to_string())
    });
    assert_refused(timer.again(), StatusCode::EINVAL);
    timer.set_repeat(30)?;
    assert_refused(timer.again(), StatusCode::EINVAL);

    // Without a repeat: neither a stopped nor an active timer changes.
    timer.start(50, 0)?;
    timer.again()?;
    assert_eq!(timer.due_in(), Ok(50));
    timer.stop();
    timer.again()?;
    assert!(!timer.is_active());

    // With one: from now, by the repeat.
    timer.start(500, 40)?;
    timer.again()?;
    assert_eq!((timer.due_in(), timer.repeat()), (Ok(40), Ok(40)));
    event_loop.run(RunMode::Once)?;
    timer.stop();
    timer.again()?;
    assert!(timer.is_active(), "also when it has been stopped");
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "40 80");

    timer.close();
    assert_eq!(timer.again(), Err(Error::HandleClosed));
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
