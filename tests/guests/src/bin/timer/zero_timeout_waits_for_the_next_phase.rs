//! A timer that starts itself with a timeout of 0 is called once in each phase, so it does not keep
//! a run from ending.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Handle, Loop, Result, RunMode, Timer};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let begin = event_loop.now()?;
    let calls = Rc::new(Cell::new(0));
    let timer = Timer::new(&event_loop)?;
    timer.start_with(0, 0, {
        let calls = calls.clone();
        move |timer| {
            timer.start(0, 0).unwrap();
            timer.event_loop().stop();
            calls.set(calls.get() + 1);
        }
    })?;
    // Stopped among the timers that come before the first iteration: there is none.
    assert!(event_loop.run(RunMode::Default)?);
    assert_eq!(calls.get(), 1);
    for turn in 2..=4 {
        assert!(event_loop.run(RunMode::Once)?);
        assert_eq!(calls.get(), turn);
    }
    assert_eq!(event_loop.now()?, begin, "nothing was waited for");
    timer.close();
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(calls.get(), 4);
    event_loop.close()
}
