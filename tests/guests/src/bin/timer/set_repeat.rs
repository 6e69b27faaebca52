//! Setting the repeat never moves the deadline that is already set.

use std::cell::Cell;
use uv_handles::{Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::Trace;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let begin = event_loop.now()?;
    let trace = Trace::new();
    let note = {
        let trace = trace.clone();
        move |timer: &Timer| trace.add((timer.event_loop().now().unwrap() - begin).to_string())
    };

    // In the callback of a repeating timer it is used from the deadline after the one that is set.
    let repeating = Timer::new(&event_loop)?;
    let calls = Cell::new(0);
    repeating.start_with(10, 10, {
        let note = note.clone();
        move |timer| {
            note(timer);
            calls.set(calls.get() + 1);
            match calls.get() {
                1 => {
                    timer.set_repeat(50).unwrap();
                    assert_eq!((timer.repeat(), timer.due_in()), (Ok(50), Ok(10)));
                }
                3 => timer.close(),
                _ => {}
            }
        }
    })?;
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "10 20 70");

    // A timer that did not repeat has been stopped by then: `again` starts it.
    let once = Timer::new(&event_loop)?;
    once.start_with(30, 0, move |timer| {
        note(timer);
        timer.set_repeat(5).unwrap();
        assert!(!timer.is_active());
        timer.again().unwrap();
        timer.set_callback(|timer| timer.close());
    })?;
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "100");
    assert_eq!(event_loop.now()? - begin, 105);
    event_loop.close()
}
