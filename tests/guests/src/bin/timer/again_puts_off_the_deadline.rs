//! A repeating timer that another one starts afresh before each of its deadlines is not called until
//! the other one ends. A repeat that is set to 0 in its callback ends it one call later.

use std::cell::Cell;
use uv_handles::{Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::Trace;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let begin = event_loop.now()?;
    let trace = Trace::new();
    let note = |name: &'static str| {
        let trace = trace.clone();
        move |timer: &Timer| trace.add(format!("{name}{}", timer.event_loop().now().unwrap() - begin))
    };

    let put_off = Timer::new(&event_loop)?;
    put_off.start_with(100, 100, {
        let note = note("put-off");
        move |timer| {
            note(timer);
            if timer.repeat() == Ok(100) {
                timer.set_repeat(0).unwrap();
                assert!(timer.is_active(), "it has been armed already");
            } else {
                assert!(!timer.is_active());
                timer.close();
            }
        }
    })?;
    // Started without a repeat, which it gets before it is due.
    let other = Timer::new(&event_loop)?;
    let calls = Cell::new(0);
    other.start_with(50, 0, {
        let (put_off, note) = (put_off.clone(), note("other"));
        move |timer| {
            note(timer);
            put_off.again().unwrap();
            assert_eq!(put_off.due_in(), Ok(100));
            calls.set(calls.get() + 1);
            if calls.get() == 5 {
                timer.close();
            }
        }
    })?;
    assert_eq!(other.repeat(), Ok(0));
    other.set_repeat(50)?;
    assert_eq!(other.repeat(), Ok(50));

    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "other50 other100 other150 other200 other250 put-off350 put-off450");
    assert!(other.is_closed() && put_off.is_closed());
    event_loop.close()
}
