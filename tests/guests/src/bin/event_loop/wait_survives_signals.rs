//! Waits in mode once while signals that no guest watches interrupt its thread: only the wake-up
//! ends the wait.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Async, Handle, Loop, Result, RunMode, Timer};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(60 * 60 * 1000, 0, |_| unreachable!("the test ends before"))?;
    let woken = Rc::new(Cell::new(false));
    let wake_up = Async::named(&event_loop, "wake-up")?;
    wake_up.set_callback({
        let woken = woken.clone();
        move |_| woken.set(true)
    });
    println!("waiting");
    assert!(event_loop.run(RunMode::Once)?);
    assert!(woken.get(), "the wait has not ended before");
    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
