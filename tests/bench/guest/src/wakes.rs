//! Events from outside of the loop: async handles and signals.

use crate::control;
use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Async, Handle, Loop, Result, RunMode, Signal, Signum};

pub fn wake_up(times: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    let handle = Async::named(&event_loop, "wake")?;
    let (called, answer) = answering(times);
    handle.set_callback(answer);
    measured(&event_loop, &called)
}

pub fn signal(times: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    let handle = Signal::new(&event_loop)?;
    let (called, mut answer) = answering(times);
    handle.start_with(Signum::SIGUSR1, move |handle, _| answer(handle))?;
    measured(&event_loop, &called)
}

/// A callback that answers, and closes its handle after this many calls.
fn answering<H: Handle>(times: u64) -> (Rc<Cell<u64>>, impl FnMut(&H) + 'static) {
    let called = Rc::new(Cell::new(0));
    let calls = called.clone();
    let answer = move |handle: &H| {
        calls.set(calls.get() + 1);
        control::answer();
        if calls.get() == times {
            handle.close();
        }
    };
    (called, answer)
}

fn measured(event_loop: &Loop, called: &Cell<u64>) -> Result<()> {
    control::begin();
    event_loop.run(RunMode::Default)?;
    control::end();
    event_loop.close()?;
    control::count("operations", called.get());
    Ok(())
}
