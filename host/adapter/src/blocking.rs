//! `uv:handles/blocking`.

use crate::bindings::exports::uv::handles::blocking::Guest;
use crate::bindings::exports::uv::handles::event_loop::RunBorrow;
use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};
use crate::wait::{self, Waited};
use crate::{Adapter, event_loop, with};
use uv_handles_core::WaitStage;

impl Guest for Adapter {
    fn wait(run: RunBorrow<'_>) -> Result<(), Error> {
        with(|loops| {
            let id = loops.loop_of_run(event_loop::run_id(&run))?;
            if !loops.has_to_wait(id) {
                return Ok(());
            }
            let deadline = loops.next_deadline(id);
            // Nothing comes from outside, and the guest blocks in this call, so it cannot do
            // anything either. libuv would block for ever; here the guest is told, and can go on
            // with the run.
            if wait::wait(loops, id, deadline) == Waited::Endless {
                return Err(ErrorCode::Ecanceled.into());
            }
            loops.set_wait_stage(id, WaitStage::Waited);
            Ok(())
        })
    }
}
