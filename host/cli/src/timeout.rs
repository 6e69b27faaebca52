//! `--timeout`: ends a guest at any point of its execution.
//!
//! The interrupt handle ends a guest that waits in its loop. wasmtime's epochs end one that
//! computes. Neither reaches a guest that is blocked in WASI, because it sleeps or prints to a full
//! pipe: then the whole process ends.

use crate::output::say;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Once};
use std::time::Duration;
use uv_handles_host::InterruptHandle;
use wasmtime::Engine;

/// The time that a guest has to end after the interrupt.
const GRACE: Duration = Duration::from_millis(500);

/// A time limit for a guest, until it is dropped.
#[derive(Debug)]
pub struct Timeout {
    limit: Duration,
    passed: Arc<AtomicBool>,
    _running: Sender<()>,
}

impl Timeout {
    /// Starts the clock. `stuck` is called when the guest has not ended some time after the limit.
    pub fn start(
        limit: Duration,
        engine: Engine,
        interrupt: InterruptHandle,
        stuck: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<Timeout> {
        let passed = Arc::new(AtomicBool::new(false));
        let (running, ended) = mpsc::channel();
        let timeout = Timeout { limit, passed: passed.clone(), _running: running };
        std::thread::Builder::new().name("uv-run timeout".into()).spawn(move || {
            if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                passed.store(true, Ordering::Release);
                interrupt.interrupt();
                engine.increment_epoch();
                if ended.recv_timeout(GRACE) == Err(RecvTimeoutError::Timeout) {
                    tell_soon(limit);
                    stuck();
                }
            }
        })?;
        Ok(timeout)
    }

    /// Reports the timeout, unless it has been reported.
    pub fn tell(&self) {
        tell(self.limit);
    }

    /// Whether the time is over.
    pub fn has_passed(&self) -> bool {
        self.passed.load(Ordering::Acquire)
    }
}

/// Reports the timeout once, from the thread that comes first.
fn tell(limit: Duration) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| say(format!("the guest was ended after {} s (--timeout)", limit.as_secs_f64())));
}

/// Reports the timeout, but does not wait long: the guest may be blocked by standard error.
fn tell_soon(limit: Duration) {
    let (told, done) = mpsc::channel();
    let teller = std::thread::Builder::new().name("uv-run last words".into()).spawn(move || {
        tell(limit);
        drop(told);
    });
    if teller.is_ok() {
        // The thread sends nothing: this wait ends when the thread drops its end, or after the
        // time.
        let _: Result<(), _> = done.recv_timeout(GRACE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uv_handles_host::UvCtx;

    #[test]
    fn a_guest_that_does_not_end_is_reported_and_one_that_does_is_not() {
        let ctx = UvCtx::builder().build();
        let engine = Engine::default();
        let (stuck, reported) = mpsc::channel();
        let start = |limit| {
            let stuck = stuck.clone();
            let stuck = move || stuck.send(()).unwrap();
            Timeout::start(limit, engine.clone(), ctx.interrupt_handle(), stuck).unwrap()
        };
        drop(start(Duration::from_secs(3600)));
        let timeout = start(Duration::from_millis(1));
        reported.recv().unwrap();
        assert!(timeout.has_passed() && ctx.interrupt_handle().is_interrupted());
        drop(stuck);
        assert!(reported.recv_timeout(Duration::from_secs(10)).is_err());
    }
}
