//! `uv:handles/blocking`: drives a loop.

use crate::bindings::exports::uv::handles::batch::{self, Change};
use crate::bindings::exports::uv::handles::blocking::{Guest, Pulled};
use crate::bindings::exports::uv::handles::event_loop::LoopBorrow;
use crate::bindings::exports::uv::handles::types::{Error, StatusCode};
use crate::{Adapter, event_loop, wait, with};
use std::cell::Cell;
use uv_handles_core::{LoopId, Step};

thread_local! {
    /// The loop that the guest has pulled last, as long as there is one.
    static PULLED_LAST: Cell<Option<LoopId>> = const { Cell::new(None) };
}

/// A loop is gone.
pub fn forget(id: LoopId) {
    PULLED_LAST.set(PULLED_LAST.get().filter(|pulled| *pulled != id));
}

impl Guest for Adapter {
    fn pull(event_loop: LoopBorrow<'_>, max: u32) -> Result<Pulled, Error> {
        PULLED_LAST.set(Some(event_loop::id(&event_loop)));
        Self::pull_next(max, 0, Vec::new())
    }

    fn pull_next(max: u32, position: u32, changes: Vec<Change<'_>>) -> Result<Pulled, Error> {
        <Self as batch::Guest>::advance(position, changes);
        let Some(id) = PULLED_LAST.get().filter(|_| max > 0) else {
            return Err(StatusCode::Einval.into());
        };
        loop {
            match with(|loops| loops.step(id, &mut wait::now))? {
                Step::Deliver(event) => return Ok(Pulled::Event(event.into())),
                Step::Finished { alive } => return Ok(Pulled::Finished(alive)),
                Step::Poll { timeout } if wait::poll(id, timeout) => {}
                // Nothing can come from outside, and the guest itself is waiting for this: libuv would
                // wait for ever. A program that can be neither woken nor ended from inside is of no use
                // to anybody, so the run is over, and the guest is told why.
                Step::Poll { .. } => {
                    with(|loops| loops.give_up(id));
                    return Err(StatusCode::Ecanceled.into());
                }
            }
            let now = wait::now();
            with(|loops| loops.polled(id, now));
        }
    }
}
