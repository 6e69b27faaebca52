//! The wait that suspends one task of an instance, while others go on. The store can be reached only
//! between suspensions, so a suspension owns everything that can end it.

use crate::ctx::UvCtx;
use crate::driver::RunError;
use crate::os::pollers::OwnedWait;
use std::io;
use tokio::time::{Instant, timeout_at};
use uv_handles_core::RunId;

/// One suspension of a wait.
pub(crate) struct PendingWait {
    deadline: Option<Instant>,
    wait: OwnedWait,
}

impl UvCtx {
    /// Begins a suspension, or finds that the run can go on.
    pub(crate) fn begin_concurrent_wait(&mut self, run: RunId) -> Result<Option<PendingWait>, RunError> {
        let Some((id, wait)) = self.wait_of(run)? else {
            return Ok(None);
        };
        // Registered before looking: what comes after the look ends the suspension.
        let owned = self.pollers.owned_wait();
        self.look_from_outside(id)?;
        let left = self.left(wait);
        if self.has_to_go_on(id) || left.is_some_and(|left| left.is_zero()) {
            self.waited(id)?;
            return Ok(None);
        }
        let wait = self.pollers.watch_for(id, owned)?;
        Ok(Some(PendingWait { deadline: left.and_then(|left| Instant::now().checked_add(left)), wait }))
    }
}

impl PendingWait {
    /// Waits until there may be something for the run. Both the end of the time and a wake-up without
    /// a cause are seen when the next suspension begins.
    pub(crate) async fn wait(&mut self) -> io::Result<()> {
        match self.deadline {
            None => self.wait.woken().await,
            Some(deadline) => timeout_at(deadline, self.wait.woken()).await.unwrap_or(Ok(())),
        }
    }
}
