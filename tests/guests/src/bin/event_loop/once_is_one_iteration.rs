//! Mode once is one iteration each time: as many runs as an idle handle is called.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Handle, Idle, Loop, Result, RunMode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let idle = Idle::new(&event_loop)?;
    let calls = Rc::new(Cell::new(0));
    idle.start_with({
        let calls = calls.clone();
        move |idle| {
            calls.set(calls.get() + 1);
            if calls.get() == 64 {
                idle.stop();
            }
        }
    })?;
    let mut runs = 1;
    while event_loop.run(RunMode::Once)? {
        assert_eq!(calls.get(), runs);
        runs += 1;
    }
    assert_eq!((runs, calls.get()), (64, 64));
    idle.close();
    event_loop.run(RunMode::Once)?;
    event_loop.close()
}
