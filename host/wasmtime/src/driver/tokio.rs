//! The wait that suspends the task which the guest is called in: until the loop's own poller - an
//! epoll descriptor, which can itself be watched - has something. A loop without descriptors and
//! signals has no poller; its task is woken directly.

use crate::ctx::UvCtx;
use crate::driver::{RunError, Wait};
use std::io;
use tokio::time::{Instant, timeout_at};
use uv_handles_core::{LoopId, RunId};

impl UvCtx {
    /// Suspends the task until the run can go on.
    pub(crate) async fn wait_in_task(&mut self, run: RunId) -> Result<(), RunError> {
        let Some((id, wait)) = self.wait_of(run)? else {
            return Ok(());
        };
        self.suspend(id, wait).await?;
        self.waited(id)
    }

    /// Suspends the task until something is ready for the loop, or the wait is over.
    async fn suspend(&mut self, id: LoopId, wait: Wait) -> io::Result<()> {
        let deadline = self.left(wait).and_then(|left| Instant::now().checked_add(left));
        loop {
            // Everything that is ready by now is taken out of the poller, so that only later events
            // wake the task.
            self.look_from_outside(id)?;
            if self.has_to_go_on(id) {
                return Ok(());
            }
            let ids = [id];
            let woken = self.pollers.wait_in_task(&ids);
            match deadline {
                None => woken.await?,
                Some(deadline) => match timeout_at(deadline, woken).await {
                    Ok(woken) => woken?,
                    Err(_) => return self.look_from_outside(id),
                },
            }
        }
    }
}
