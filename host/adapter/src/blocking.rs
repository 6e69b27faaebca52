//! `uv:handles/blocking` and `uv:handles/blocking-batch`.

use crate::bindings::exports::uv::handles::batch::{BatchStep, Change, TimerPoolBorrow};
use crate::bindings::exports::uv::handles::event_loop::RunBorrow;
use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};
use crate::bindings::exports::uv::handles::{blocking, blocking_batch};
use crate::driver::WasiDriver;
use crate::wait::{self, Waited};
use crate::{Adapter, batch, event_loop, with};
use uv_handles_core::{Delivery, Driver, Loops, NO_READY_TOKEN, NO_TOKEN_PAIR, RunId, Wait, WaitStage};

impl blocking::Guest for Adapter {
    fn wait(run: RunBorrow<'_>) -> Result<(), Error> {
        with(|loops| wait_for(loops, event_loop::run_id(&run)))
    }
}

impl blocking_batch::Guest for Adapter {
    fn next(
        key: u64,
        max: u32,
        position: Option<u32>,
        pool: Option<TimerPoolBorrow<'_>>,
        changes: Vec<Change>,
    ) -> Result<BatchStep, Error> {
        let delivery = with(|loops| {
            let mut delivery = batch::deliver(loops, key, max, position, pool.as_ref(), changes)?;
            while delivery == Delivery::Wait {
                let run = loops.run_of_key(key).ok_or(uv_handles_core::Error::Invalid)?;
                wait_for(loops, run)?;
                delivery = WasiDriver(loops).next(run, max)?;
            }
            Ok::<_, Error>(delivery)
        })?;
        Ok(delivery.into())
    }

    fn next_callbacks(key: u64) -> u64 {
        in_brief(key, |driver, run| driver.next_pair(run)).unwrap_or(NO_TOKEN_PAIR)
    }

    fn next_ready(key: u64) -> u64 {
        in_brief(key, |driver, run| driver.next_ready(run)).unwrap_or(NO_READY_TOKEN)
    }
}

/// A form of `next` that returns what fits in a number.
type Brief = fn(&mut WasiDriver<'_>, RunId) -> Result<Option<u64>, uv_handles_core::Error>;

fn in_brief(key: u64, next: Brief) -> Option<u64> {
    with(|loops| {
        let run = loops.run_of_key(key)?;
        loop {
            // An error comes again with the next call that can bring it.
            let brought = next(&mut WasiDriver(loops), run).ok()?;
            if brought.is_some() || !loops.take_stashed_wait(run) {
                return brought;
            }
            wait_for(loops, run).ok()?;
        }
    })
}

fn wait_for(loops: &mut Loops, run: RunId) -> Result<(), Error> {
    let id = loops.loop_of_run(run)?;
    let Some(Wait { deadline }) = loops.pending_wait(id) else {
        return Ok(());
    };
    // Nothing comes from outside, and the guest blocks in this call, so it cannot do anything either.
    // libuv would block for ever; here the guest is told, and can go on with the run.
    if wait::wait(loops, id, deadline) == Waited::Endless {
        return Err(ErrorCode::Ecanceled.into());
    }
    loops.set_wait_stage(id, WaitStage::Waited);
    Ok(())
}
