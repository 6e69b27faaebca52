//! Iterations.

use crate::control;
use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Check, Descriptor, Handle, Idle, Loop, Poll, PollEvents, Prepare, Result, RunMode};

/// Iterations with an idle handle, and with others beside it.
pub fn iterate(times: u64, with_phases: bool, with_poll: bool) -> Result<()> {
    let event_loop = Loop::new()?;
    let idle = Idle::new(&event_loop)?;
    let left = Rc::new(Cell::new(times));
    let (to_do, owner) = (left.clone(), event_loop.clone());
    idle.start_with(move |_| {
        to_do.set(to_do.get() - 1);
        if to_do.get() == 0 {
            owner.stop();
        }
    })?;
    let (prepares, checks) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    if with_phases {
        let prepare = Prepare::new(&event_loop)?;
        let called = prepares.clone();
        prepare.start_with(move |_| called.set(called.get() + 1))?;
        let check = Check::new(&event_loop)?;
        let called = checks.clone();
        check.start_with(move |_| called.set(called.get() + 1))?;
    }
    let silent = with_poll.then(|| Descriptor::open("silent")).transpose()?;
    if let Some(silent) = &silent {
        let poll = Poll::new(&event_loop, silent)?;
        poll.start_with(PollEvents::READABLE, |_, _| unreachable!("it is never ready"))?;
    }
    control::begin();
    event_loop.run(RunMode::Default)?;
    control::end();
    for handle in event_loop.handles() {
        handle.close();
    }
    event_loop.run(RunMode::Default)?;
    event_loop.close()?;
    control::count("operations", times - left.get());
    if with_phases {
        control::count("prepares", prepares.get());
        control::count("checks", checks.get());
    }
    Ok(())
}

/// Calls to a host function that does almost nothing.
pub fn calls(times: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    control::begin();
    let alive = (0..times).filter(|_| event_loop.is_alive()).count();
    control::end();
    control::count("operations", times);
    control::count("alive", alive as u64);
    event_loop.close()
}
