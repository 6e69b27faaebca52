//! The wait that blocks the calling thread.

use crate::ctx::UvCtx;
use crate::driver::{RunError, Wait};
use std::io;
use std::time::Duration;
use uv_handles_core::{LoopId, RunId};

impl UvCtx {
    /// Blocks the thread until the run can go on.
    pub(crate) fn wait_blocking(&mut self, run: RunId) -> Result<(), RunError> {
        let Some((id, wait)) = self.wait_of(run)? else {
            return Ok(());
        };
        self.block(id, wait)?;
        self.waited(id)
    }

    /// Blocks the thread until something is ready for the loop, or the wait is over.
    ///
    /// The OS may end a wait without a cause: a signal of somebody else, or an event that the loop did
    /// not ask for. libuv goes on waiting then, and so does this.
    fn block(&mut self, id: LoopId, wait: Wait) -> io::Result<()> {
        loop {
            self.poll(id, self.left(wait))?;
            if self.has_to_go_on(id) || self.left(wait) == Some(Duration::ZERO) {
                return Ok(());
            }
        }
    }
}
