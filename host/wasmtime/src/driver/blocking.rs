//! The wait that blocks the calling thread.

use crate::ctx::UvCtx;
use crate::driver::RunError;
use std::io;
use std::time::Duration;
use uv_handles_core::{LoopId, RunId, Wait};

impl UvCtx {
    /// Blocks the thread until the run can continue.
    pub(crate) fn wait_blocking(&mut self, run: RunId) -> Result<(), RunError> {
        let Some((id, wait)) = self.wait_of(run)? else {
            return Ok(());
        };
        self.block(id, wait)?;
        self.waited(id)
    }

    /// Blocks the thread until something is ready for the loop, or the wait's deadline has passed.
    ///
    /// The OS may end a wait without a cause: on another handler's signal, or an event that the
    /// loop did not ask for. The wait then continues, as in libuv.
    fn block(&mut self, id: LoopId, wait: Wait) -> io::Result<()> {
        loop {
            self.poll(id, self.remaining(wait))?;
            if self.must_end_wait(id) || self.remaining(wait) == Some(Duration::ZERO) {
                return Ok(());
            }
        }
    }
}
