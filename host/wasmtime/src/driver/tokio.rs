//! Driving a loop in a task: where `driver.rs` would block the thread, this suspends the task until the
//! loop's own poller - an epoll descriptor, which can itself be watched - has something. A loop without descriptors
//! and signals has no poller: its task is woken directly.

use crate::ctx::UvCtx;
use crate::driver::{Next, PullError, Pulled, Wait};
use std::io;
use uv_handles_core::LoopId;

impl UvCtx {
    /// Goes on with a run, and suspends the task until a callback is due or the run has finished.
    pub(crate) async fn pull_async(&mut self, id: LoopId, max: u32) -> Result<Pulled, PullError> {
        let pulled = match self.take_found(id) {
            Some(found) => found,
            None => self.pull_one_async(id).await,
        }?;
        Ok(self.with_upcoming(id, pulled, max))
    }

    /// The same for one callback, whatever an earlier pull has found.
    pub(crate) async fn pull_one_async(&mut self, id: LoopId) -> Result<Pulled, PullError> {
        self.end_batch();
        loop {
            match self.next(id)? {
                Next::Pulled(pulled) => return Ok(pulled),
                Next::Wait(wait) => {
                    let result = self.suspend(id, wait).await;
                    self.waited(id, result)?;
                }
            }
        }
    }

    /// Suspends the task until something is ready for the loop, or the wait is over.
    async fn suspend(&mut self, id: LoopId, wait: Wait) -> io::Result<()> {
        loop {
            // Everything that there is by now is taken out of the poller, so that only what comes later
            // wakes the task.
            self.look_from_outside(id)?;
            if self.wait_is_over(id) {
                return Ok(());
            }
            let ids = [id];
            let woken = self.pollers.wait_in_task(&ids);
            match wait.deadline {
                None => woken.await?,
                Some(deadline) => match tokio::time::timeout_at(deadline.into(), woken).await {
                    Ok(woken) => woken?,
                    Err(_) => return self.look_from_outside(id),
                },
            }
        }
    }
}
