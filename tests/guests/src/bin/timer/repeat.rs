//! A repeating timer does not catch up: after a delay it is called once, and then its repeat later.

use std::rc::Rc;
use uv_handles::{Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, pass_time};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let begin = event_loop.now()?;
    let timer = Timer::new(&event_loop)?;
    let trace = Trace::new();
    let calls = Rc::new(std::cell::Cell::new(0));
    timer.start_with(10, 20, {
        let trace = trace.clone();
        move |timer| {
            assert!(timer.is_active(), "armed again before its callback");
            assert_eq!(timer.due_in(), Ok(20));
            trace.add((timer.event_loop().now().unwrap() - begin).to_string());
            calls.set(calls.get() + 1);
            match calls.get() {
                2 => pass_time(100).unwrap(),
                5 => timer.close(),
                _ => {}
            }
        }
    })?;
    event_loop.run(RunMode::Default)?;
    // The delay begins at 30 and ends at 130. The timer was due at 50, so it is called at once, and
    // then keeps its interval. The calls in between are not made up for.
    assert_eq!(trace.take(), "10 30 130 150 170");
    event_loop.close()
}
