//! The wait that suspends the tokio task that calls the guest.
//!
//! tokio watches the loop's own poller, an epoll descriptor, which can itself be polled, and the
//! descriptor of the signals. A loop without descriptors has no poller; its task is woken directly.

use crate::ctx::UvCtx;
use crate::driver::{RunError, Wait};
use std::io;
use tokio::time::{Instant, timeout_at};
use uv_handles_core::{LoopId, RunId};

impl UvCtx {
    /// Suspends the task until the run can continue.
    pub(crate) async fn wait_in_task(&mut self, run: RunId) -> Result<(), RunError> {
        let Some((id, wait)) = self.wait_of(run)? else {
            return Ok(());
        };
        self.suspend(id, wait).await?;
        self.waited(id)
    }

    /// Lets the waits of the guest's tasks watch the signals, if the guest does.
    pub(crate) fn watch_signals_in_task(&mut self) -> io::Result<()> {
        self.pollers.watch_signals_in_task(self.loops.watched_signals() != 0)
    }

    /// Suspends the task until something is ready for the loop, or the wait's deadline has passed.
    async fn suspend(&mut self, id: LoopId, wait: Wait) -> io::Result<()> {
        let deadline = self.remaining(wait).and_then(|left| Instant::now().checked_add(left));
        loop {
            self.watch_signals_in_task()?;
            // This takes all ready events out of the poller, so that only later events wake the
            // task.
            self.poll_ready_outside_run(id)?;
            if self.must_end_wait(id) {
                return Ok(());
            }
            let ids = [id];
            let woken = self.pollers.wait_in_task(&ids);
            match deadline {
                None => woken.await?,
                Some(deadline) => match timeout_at(deadline, woken).await {
                    Ok(woken) => woken?,
                    Err(_) => return self.poll_ready_outside_run(id),
                },
            }
        }
    }
}
