//! `uv:handles/blocking`: drives a loop.

use crate::bindings::exports::uv::handles::blocking::{Guest, Pulled};
use crate::bindings::exports::uv::handles::event_loop::LoopBorrow;
use crate::bindings::exports::uv::handles::types::{Error, StatusCode};
use crate::{Adapter, event_loop, wait, with};
use uv_handles_core::Step;

impl Guest for Adapter {
    fn pull(event_loop: LoopBorrow<'_>, max: u32) -> Result<Pulled, Error> {
        if max == 0 {
            return Err(StatusCode::Einval.into());
        }
        let id = event_loop::id(&event_loop);
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
