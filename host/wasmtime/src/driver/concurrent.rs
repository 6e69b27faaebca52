//! The wait that suspends one task of an instance while others continue.
//!
//! The store is accessible only between suspensions. A suspension therefore owns everything that
//! can end it.

use crate::ctx::UvCtx;
use crate::driver::RunError;
use crate::os::pollers::OwnedWait;
use std::io;
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};
use uv_handles_core::RunId;

/// One suspension of a wait.
pub(crate) struct PendingWait {
    deadline: Option<Instant>,
    wait: OwnedWait,
    /// Counts as a wait of the context while it lives.
    _count: Arc<()>,
}

impl UvCtx {
    /// Begins a suspension. Returns `None` if the run can continue.
    pub(crate) fn begin_concurrent_wait(&mut self, run: RunId) -> Result<Option<PendingWait>, RunError> {
        let Some((id, wait)) = self.wait_of(run)? else {
            return Ok(None);
        };
        // Register before the check, so that an event after the check ends the suspension.
        self.watch_signals_in_task()?;
        let owned = self.pollers.owned_wait();
        self.poll_ready_outside_run(id)?;
        let left = self.remaining(wait);
        if self.must_end_wait(id) || left.is_some_and(|left| left.is_zero()) {
            self.waited(id)?;
            return Ok(None);
        }
        let wait = self.pollers.watch_for(id, owned)?;
        let deadline = left.and_then(|left| Instant::now().checked_add(left));
        Ok(Some(PendingWait { deadline, wait, _count: self.concurrent_waits.clone() }))
    }
}

impl PendingWait {
    /// Waits until there may be an event for the run. The start of the next suspension detects the
    /// deadline and a wake without a cause.
    pub(crate) async fn wait(&mut self) -> io::Result<()> {
        match self.deadline {
            None => self.wait.woken().await,
            Some(deadline) => timeout_at(deadline, self.wait.woken()).await.unwrap_or(Ok(())),
        }
    }
}
