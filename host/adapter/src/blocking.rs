//! `uv:handles/blocking`: drives a loop.

use crate::bindings::exports::uv::handles::batch::{self, ReserveBorrow};
use crate::bindings::exports::uv::handles::blocking::{Guest, Pulled};
use crate::bindings::exports::uv::handles::event_loop::LoopBorrow;
use crate::bindings::exports::uv::handles::types::{Error, StatusCode};
use crate::{Adapter, event_loop, wait, with};
use std::cell::{Cell, RefCell};
use uv_handles_core::{Event, LoopId, Occurrence, Step};

thread_local! {
    /// The loop that the guest has pulled last, as long as there is one.
    static PULLED_LAST: Cell<Option<LoopId>> = const { Cell::new(None) };
    /// What a pull has found of a loop and could not bring: the loop's next pull does.
    static FOUND: RefCell<Option<(LoopId, Result<Brought, Error>)>> = const { RefCell::new(None) };
}

/// What stands where there is no token of 32 bits.
const NO_TOKEN: u64 = u32::MAX as u64;
const NOTHING: u64 = NO_TOKEN << 32 | NO_TOKEN;

/// What a pull brings.
enum Brought {
    Event(Event),
    Finished { alive: bool },
}

impl From<Brought> for Pulled {
    fn from(brought: Brought) -> Pulled {
        match brought {
            Brought::Event(event) => Pulled::Event(event.into()),
            Brought::Finished { alive } => Pulled::Finished(alive),
        }
    }
}

/// What an earlier pull has found and could not bring, unless the guest has closed the handle in the meantime.
fn take_found(id: LoopId) -> Option<Result<Brought, Error>> {
    let (_, found) = FOUND.with_borrow_mut(|found| found.take_if(|(owner, _)| *owner == id))?;
    match &found {
        Ok(Brought::Event(event)) if !with(|loops| loops.still_delivers(event)) => None,
        _ => Some(found),
    }
}

/// Nobody has asked how the run before has ended: another one begins, or the loop is closed.
pub fn forget_found(id: LoopId) {
    let _ = take_found(id);
}

/// A loop is gone.
pub fn forget(id: LoopId) {
    forget_found(id);
    PULLED_LAST.set(PULLED_LAST.get().filter(|pulled| *pulled != id));
}

impl Guest for Adapter {
    fn pull(event_loop: LoopBorrow<'_>, max: u32) -> Result<Pulled, Error> {
        PULLED_LAST.set(Some(event_loop::id(&event_loop)));
        Self::pull_next(max, 0, None, Vec::new())
    }

    fn pull_next(
        max: u32,
        position: u32,
        reserve: Option<ReserveBorrow<'_>>,
        changes: Vec<u64>,
    ) -> Result<Pulled, Error> {
        <Self as batch::Guest>::advance(position, reserve, changes);
        match PULLED_LAST.get().filter(|_| max > 0) {
            Some(id) => take_found(id).unwrap_or_else(|| pull_one(id)).map(Pulled::from),
            None => Err(StatusCode::Einval.into()),
        }
    }

    fn pull_callbacks() -> u64 {
        let is_waiting = FOUND.with_borrow(Option::is_some);
        let Some(id) = PULLED_LAST.get().filter(|_| !is_waiting) else {
            return NOTHING;
        };
        match pull_one(id) {
            Ok(Brought::Event(Event { token, what: Occurrence::Callback, .. })) if token < NO_TOKEN => {
                NO_TOKEN << 32 | token
            }
            found => {
                FOUND.set(Some((id, found)));
                NOTHING
            }
        }
    }
}

/// Goes on with a run up to the next callback, or its end.
fn pull_one(id: LoopId) -> Result<Brought, Error> {
    loop {
        match with(|loops| loops.step(id, &mut wait::now))? {
            Step::Deliver(event) => return Ok(Brought::Event(event)),
            Step::Finished { alive } => return Ok(Brought::Finished { alive }),
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
