//! The future of a task's result.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_task::{FallibleTask, Task};

use crate::error::{Error, Result};
use crate::status::StatusCode;

/// A task that has been spawned: a future of its result.
///
/// ECANCELED in place of a result if the task has been [aborted](Self::abort) or was dropped with
/// its loop's handles, and also if this future is polled again after it was ready. Dropping it
/// detaches the task, which goes on.
#[must_use = "dropping it detaches the task; `abort` ends it"]
pub struct JoinHandle<T>(RefCell<Option<FallibleTask<T>>>);

impl<T> JoinHandle<T> {
    pub(super) fn new(task: Task<T>) -> Self {
        Self(RefCell::new(Some(task.fallible())))
    }

    /// Ends the task. From now on this future answers ECANCELED, also if the task has just ended by
    /// itself.
    ///
    /// The task is not polled any more. Its future is dropped in the next idle phase. A task that
    /// aborts itself goes on until it waits, and is dropped then.
    pub fn abort(&self) {
        // The drop cancels the task. It is outside of the borrow because it may drop a result of
        // the user.
        let task = self.0.take();
        drop(task);
    }

    /// Whether the task has ended or been aborted.
    pub fn is_finished(&self) -> bool {
        self.0.borrow().as_ref().is_none_or(FallibleTask::is_finished)
    }

    /// Lets the task go on by itself, as dropping this does.
    pub fn detach(self) {}
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        const ABORTED: Error = Error::Status(StatusCode::ECANCELED);
        let place = self.get_mut().0.get_mut();
        let Some(task) = place else {
            return Poll::Ready(Err(ABORTED));
        };
        let result = std::task::ready!(Pin::new(task).poll(cx));
        *place = None;
        Poll::Ready(result.ok_or(ABORTED))
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.detach();
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("finished", &self.is_finished()).finish()
    }
}
