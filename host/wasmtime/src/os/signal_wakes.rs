//! The eventfds that every delivery of a signal makes readable.
//!
//! Linux lets a file be watched by 500 pollers that are watched themselves, and by 1,000 others
//! (fs/eventpoll.c: `path_limits`). One eventfd for all loops of the process would let a guest use
//! up that limit for the others, so each eventfd serves a few loops.

use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{IntoRawFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of loops that an eventfd serves. An embedder may watch tokio's poller with one of its
/// own, and for such a path the limit is 100.
const LOOPS: usize = 64;

/// The number of eventfds that can be made. They serve more loops than a process may have
/// descriptors for.
const MOST: usize = 1 << 13;

/// The eventfds. They are kept for the life of the process, because a signal handler may be about
/// to write to one.
static EVENTFDS: [AtomicI32; MOST] = [const { AtomicI32::new(-1) }; MOST];

/// The number of eventfds that have been made.
static MADE: AtomicUsize = AtomicUsize::new(0);

/// The number of loops that each eventfd serves.
static SERVED: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// The right to watch one of the eventfds.
#[derive(Debug)]
pub(crate) struct SignalWake {
    at: usize,
}

impl SignalWake {
    /// Takes an eventfd with room, or makes one. Deliveries from now on make it readable.
    pub(crate) fn new() -> io::Result<SignalWake> {
        let mut served = served();
        let at = match served.iter().position(|&loops| loops < LOOPS) {
            Some(at) => at,
            None if served.len() == MOST => return Err(io::Error::from_raw_os_error(libc::EMFILE)),
            None => {
                let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
                let at = served.len();
                EVENTFDS[at].store(fd.into_raw_fd(), Ordering::Release);
                MADE.store(at + 1, Ordering::Release);
                // Either a handler sees the eventfd, or the reader of the log sees its delivery.
                fence(Ordering::SeqCst);
                served.push(0);
                at
            }
        };
        served[at] += 1;
        Ok(SignalWake { at })
    }

    /// Returns the eventfd, to be watched edge-triggered: it is never read.
    pub(crate) fn fd(&self) -> RawFd {
        EVENTFDS[self.at].load(Ordering::Acquire)
    }
}

impl Drop for SignalWake {
    fn drop(&mut self) {
        served()[self.at] -= 1;
    }
}

/// Calls `write` with each eventfd. It is async-signal-safe. The delivery must have been published.
pub(super) fn for_each(mut write: impl FnMut(RawFd)) {
    fence(Ordering::SeqCst);
    for eventfd in &EVENTFDS[..MADE.load(Ordering::Acquire)] {
        write(eventfd.load(Ordering::Acquire));
    }
}

/// Locks the table. It is valid at any moment, so poisoning is ignored.
fn served() -> MutexGuard<'static, Vec<usize>> {
    SERVED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn an_eventfd_serves_a_few_loops_and_serves_others_after_them() {
        let wakes: Vec<SignalWake> = (0..LOOPS * 3).map(|_| SignalWake::new().unwrap()).collect();
        let mut loops = HashMap::<RawFd, usize>::new();
        wakes.iter().for_each(|wake| *loops.entry(wake.fd()).or_default() += 1);
        assert!(loops.len() >= 3 && loops.values().all(|&loops| loops <= LOOPS), "{loops:?}");
        let made = MADE.load(Ordering::Acquire);
        drop(wakes);
        let again: Vec<SignalWake> = (0..LOOPS * 2).map(|_| SignalWake::new().unwrap()).collect();
        assert_eq!(MADE.load(Ordering::Acquire), made);
        drop(again);
        let mut seen = 0;
        for_each(|fd| {
            assert!(fd >= 0);
            seen += 1;
        });
        assert_eq!(seen, made);
    }
}
