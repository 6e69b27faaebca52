//! A repeat beyond all measure: the timer is called at its timeout, armed for the end of time, and
//! does not disturb another one.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let huge = Timer::new(&event_loop)?;
    huge.start_with(1, u64::MAX, traces(&trace, "huge"))?;
    let tiny = Timer::new(&event_loop)?;
    let calls = Rc::new(Cell::new(0));
    tiny.start_with(2, 2, {
        let (trace, calls, huge) = (trace.clone(), calls.clone(), huge.clone());
        move |tiny| {
            trace.add("tiny");
            calls.set(calls.get() + 1);
            assert!(huge.is_active());
            assert_eq!(huge.due_in(), Ok(u64::MAX - tiny.event_loop().now().unwrap()));
            if calls.get() == 9 {
                tiny.event_loop().handles().iter().for_each(Handle::close);
            }
        }
    })?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), format!("huge{}", " tiny".repeat(9)));
    event_loop.close()
}
