//! A guest's name, and the limits on the time of its callbacks and calls.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;

/// A call of a guest, or a callback, took longer than it may. That has ended the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeadlineExceeded {
    /// A call of an export took longer than its deadline.
    #[error("a call took longer than its deadline")]
    Call,
    /// A callback took longer than this limit, from
    /// [`UvCtxBuilder::callback_deadline`](crate::UvCtxBuilder::callback_deadline).
    #[error("a callback took longer than its limit of {0:?}")]
    Callback(Duration),
}

type OnSlow = dyn Fn(Duration) + Send + Sync;

/// The name and the limits. Most guests have none, so that they are boxed.
#[derive(Default)]
pub(crate) struct Watch {
    pub name: Option<Arc<str>>,
    slow: Option<(Duration, Box<OnSlow>)>,
    callback_limit: Option<Duration>,
    /// The deadline of the call or callback in progress, and the error beyond it.
    deadline: Option<(Instant, DeadlineExceeded)>,
}

impl Watch {
    pub(crate) fn on_slow(&mut self, limit: Duration, hook: impl Fn(Duration) + Send + Sync + 'static) {
        self.slow = Some((limit, Box::new(hook)));
    }

    pub(crate) fn limit_callbacks(&mut self, limit: Duration) {
        self.callback_limit = Some(limit);
    }

    /// Sets the deadline of a call.
    pub(crate) fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline.map(|deadline| (deadline, DeadlineExceeded::Call));
    }

    /// Returns the error if the call or callback in progress is beyond its deadline.
    pub(crate) fn check(&self) -> Result<(), DeadlineExceeded> {
        match self.deadline {
            Some((deadline, error)) if deadline <= Instant::now() => Err(error),
            _ => Ok(()),
        }
    }

    /// Begins the time of a callback.
    pub(crate) fn begin_callback(&mut self, now: Instant) {
        if let Some(limit) = self.callback_limit {
            let deadline = now.checked_add(limit);
            self.deadline = deadline.map(|deadline| (deadline, DeadlineExceeded::Callback(limit)));
        }
    }

    /// Ends the time of a callback that has returned.
    pub(crate) fn end_callback(&mut self, took: Duration) {
        self.deadline = None;
        if let Some((limit, hook)) = &self.slow
            && took > *limit
        {
            hook(took);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn only_a_callback_beyond_the_limit_is_slow() {
        let calls = Arc::new(AtomicU32::new(0));
        let counted = calls.clone();
        let mut watch = Watch::default();
        watch.on_slow(Duration::from_millis(5), move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        watch.end_callback(Duration::from_millis(5));
        watch.end_callback(Duration::from_millis(6));
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_deadline_holds_until_the_callback_has_returned() {
        let mut watch = Watch::default();
        watch.limit_callbacks(Duration::ZERO);
        assert_eq!(watch.check(), Ok(()));
        watch.begin_callback(Instant::now());
        assert_eq!(watch.check(), Err(DeadlineExceeded::Callback(Duration::ZERO)));
        watch.end_callback(Duration::ZERO);
        assert_eq!(watch.check(), Ok(()));
        watch.set_deadline(Some(Instant::now()));
        assert_eq!(watch.check(), Err(DeadlineExceeded::Call));
    }
}
