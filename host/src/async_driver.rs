//! Driving a loop in a task: where `driver.rs` would block the thread, this suspends the task until the
//! loop's own poller - an epoll descriptor, which can itself be watched - has something.

use crate::UvCtx;
use crate::driver::{Next, PullError, Pulled, Wait};
use std::io;
use std::time::Duration;
use uv_handles_core::LoopId;

impl UvCtx {
    /// Goes on with a run, and suspends the task until a callback is due or the run has finished.
    pub(crate) async fn pull_async(&mut self, id: LoopId, max: u32) -> Result<Pulled, PullError> {
        self.end_batch();
        loop {
            match self.next(id)? {
                Next::Pulled(pulled) => return Ok(self.with_upcoming(id, pulled, max)),
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
            self.poll(id, Some(Duration::ZERO))?;
            if self.wait_is_over(id) {
                return Ok(());
            }
            let readable = self.pollers.get(id)?.readable();
            match wait.deadline {
                None => readable.await?,
                Some(deadline) => match tokio::time::timeout_at(deadline.into(), readable).await {
                    Ok(readable) => readable?,
                    Err(_) => return self.poll(id, Some(Duration::ZERO)),
                },
            }
        }
    }
}
