//! The epoch ticker thread.

use crate::os;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use wasmtime::Engine;

/// Advances an engine's epoch at regular intervals, from its own thread, until it is dropped.
///
/// It keeps the engine alive. The thread receives no signals, and shares no descriptors with the
/// process (Linux 5.9 and later). A host without other threads therefore keeps the cheaper system
/// calls of a single-threaded process.
#[derive(Debug)]
pub struct EpochTicker {
    /// Disconnected by the drop.
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// The thread could not close descriptors that the engine may own, so it must not drop the
    /// engine last.
    _engine: Engine,
}

impl EpochTicker {
    /// Starts the ticker. A guest that spins is interrupted after at most one interval, and yields
    /// to other tasks after at most two.
    ///
    /// # Errors
    ///
    /// Returns the OS's error if it cannot start a thread.
    pub fn start(engine: &Engine, interval: Duration) -> io::Result<EpochTicker> {
        let (stop, stopped) = mpsc::channel();
        let ticking = engine.clone();
        let thread = thread::Builder::new().name("epochs".into()).spawn(move || {
            os::unshare_descriptors();
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                ticking.increment_epoch();
            }
        })?;
        Ok(EpochTicker { stop: Some(stop), thread: Some(thread), _engine: engine.clone() })
    }
}

impl Drop for EpochTicker {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // The thread does not panic.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other systems have no descriptor table for a thread.
    #[test]
    #[cfg(all(target_os = "linux", not(feature = "portable-os")))]
    fn the_thread_receives_no_signals_and_shares_no_descriptors() {
        use std::fs;
        use std::os::unix::net::UnixStream;
        use std::time::Instant;
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let _ticker = EpochTicker::start(&Engine::default(), Duration::from_millis(1)).unwrap();
        let shares_none = || {
            fs::read_dir("/proc/self/task").unwrap().flatten().any(|task| {
                let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
                let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
                let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
                let blocked = blocked.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0);
                let takes_no_signals = [libc::SIGHUP, libc::SIGTERM, libc::SIGWINCH, 64]
                    .iter()
                    .all(|signum| blocked & (1 << (signum - 1)) != 0);
                let descriptors = fs::read_dir(task.path().join("fd"));
                name.trim_end() == "epochs"
                    && takes_no_signals
                    && descriptors.is_ok_and(|mut all| all.next().is_none())
            })
        };
        let begun = Instant::now();
        while !shares_none() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "the thread has descriptors, or receives signals"
            );
            thread::yield_now();
        }
        io::Write::write_all(&mut theirs, b"x").unwrap();
        let mut byte = [0];
        io::Read::read_exact(&mut &ours, &mut byte).unwrap();
        assert_eq!(&byte, b"x");
    }

    #[test]
    fn drop_ends_the_thread() {
        let engine = Engine::default();
        let ticker = EpochTicker::start(&engine, Duration::from_secs(3_600)).unwrap();
        let weak = engine.weak();
        drop(engine);
        assert!(weak.upgrade().is_some(), "the ticker keeps the engine");
        drop(ticker);
        assert!(weak.upgrade().is_none());
    }
}
