//! Between the calls of an idle handle that never stops, check handles are called and timers become
//! due. In real time: virtual time stands still while a loop does not wait.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Check, Handle, Idle, Loop, Result, RunMode, Timer};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let counter = || Rc::new(Cell::new(0u64));
    let (idles, checks) = (counter(), counter());
    let idle = Idle::new(&event_loop)?;
    idle.start_with({
        let idles = idles.clone();
        move |_| idles.set(idles.get() + 1)
    })?;
    let check = Check::new(&event_loop)?;
    let timer = Timer::new(&event_loop)?;
    timer.set_callback(|timer| timer.event_loop().handles().iter().for_each(Handle::close));
    check.start_with({
        let (idles, checks, timer) = (idles.clone(), checks.clone(), timer.clone());
        move |_| {
            checks.set(checks.get() + 1);
            assert_eq!(checks.get(), idles.get(), "once in each iteration");
            // Not before: it could be due in the first iteration of a busy machine.
            if checks.get() == 1 {
                timer.start(20, 0).expect("it is open");
            }
        }
    })?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert!(idles.get() > 0 && checks.get() > 0);
    assert!(idle.is_closed() && check.is_closed() && timer.is_closed());
    event_loop.close()
}
