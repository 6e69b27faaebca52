//! The wait that suspends the tokio task that calls the guest.
//!
//! tokio watches the loop's own poller, an epoll descriptor, which can itself be polled. A loop
//! without descriptors and signals has no poller; its task is woken directly.

use crate::ctx::UvCtx;
use crate::driver::RunError;
use std::future::Future;
use std::io;
use std::pin::pin;
use tokio::time::{Instant, timeout_at};
use uv_handles_core::{LoopId, RunId, Wait};

impl UvCtx {
    /// Suspends the task until the run can continue. If that is at once, the task yields when its
    /// turn is over.
    pub(crate) async fn wait_in_task(&mut self, run: RunId) -> Result<(), RunError> {
        if let Some((id, wait)) = self.wait_of(run)? {
            self.suspend(id, wait).await?;
            self.waited(id)?;
        }
        if self.turn.is_over() {
            tokio::task::yield_now().await;
            self.turn.begin();
        }
        Ok(())
    }

    /// Suspends the task until something is ready for the loop, or the wait's deadline has passed.
    async fn suspend(&mut self, id: LoopId, wait: Wait) -> io::Result<()> {
        let deadline = self.remaining(wait).and_then(|left| Instant::now().checked_add(left));
        loop {
            // This takes all ready events out of the poller, so that only later events wake the
            // task.
            self.poll_ready_outside_run(id)?;
            if self.must_end_wait(id) {
                return Ok(());
            }
            let ids = [id];
            let (woken, suspended) = noting_suspension(self.pollers.wait_in_task(&ids), deadline).await;
            if suspended {
                // Other tasks have had their turn.
                self.turn.begin();
            }
            match woken {
                Some(woken) => woken?,
                None => return self.poll_ready_outside_run(id),
            }
        }
    }
}

/// Awaits a future up to a deadline. Returns `None` after the deadline, and whether the task was
/// suspended.
async fn noting_suspension<F: Future>(future: F, deadline: Option<Instant>) -> (Option<F::Output>, bool) {
    let mut suspended = false;
    let mut future = pin!(async {
        match deadline {
            None => Some(future.await),
            Some(deadline) => timeout_at(deadline, future).await.ok(),
        }
    });
    let output = std::future::poll_fn(|context| {
        let poll = future.as_mut().poll(context);
        suspended |= poll.is_pending();
        poll
    })
    .await;
    (output, suspended)
}
