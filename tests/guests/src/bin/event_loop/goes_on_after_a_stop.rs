//! A run that was stopped leaves everything as it was: the next runs go on from there.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Handle, Loop, Prepare, Result, RunMode, Timer};

const CALLS: u32 = 10;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let counter = || Rc::new(Cell::new(0));
    let (prepares, timers) = (counter(), counter());
    let prepare = Prepare::new(&event_loop)?;
    prepare.start_with({
        let prepares = prepares.clone();
        move |prepare| {
            prepares.set(prepares.get() + 1);
            if prepares.get() == CALLS {
                prepare.stop();
            }
        }
    })?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(100, 100, {
        let timers = timers.clone();
        move |timer| {
            timers.set(timers.get() + 1);
            match timers.get() {
                1 => timer.event_loop().stop(),
                CALLS => timer.stop(),
                _ => {}
            }
        }
    })?;
    assert!(event_loop.run(RunMode::Default)?, "alive, although it has ended");
    assert_eq!((prepares.get(), timers.get()), (1, 1));
    assert!(event_loop.run(RunMode::NoWait)?);
    assert_eq!((prepares.get(), timers.get()), (2, 1));
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!((prepares.get(), timers.get()), (CALLS, CALLS));
    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
