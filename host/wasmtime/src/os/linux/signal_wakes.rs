//! The eventfds that every delivery of a signal makes readable.
//!
//! Every loop that watches signals has one in its poll, edge-triggered: each write wakes each loop,
//! and the eventfds need not be read.
//!
//! Linux lets a file be watched by 500 pollers that are watched themselves, and by 1,000 others
//! (fs/eventpoll.c: `path_limits`). One eventfd for all loops of the process would let a guest use
//! up that limit for the others, so each eventfd serves a few loops.

#![expect(unsafe_code, reason = "a signal handler calls write(2) on a number")]

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
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
    /// Makes every delivery from now on end the poll's wait with an event of this token. The function
    /// is for systems that wake the poll's thread instead.
    pub(crate) fn new(
        registry: &Registry,
        token: Token,
        _wake: impl Fn() -> io::Result<()>,
    ) -> io::Result<SignalWake> {
        let wake = SignalWake::with_room()?;
        registry.register(&mut SourceFd(&wake.fd()), token, Interest::READABLE)?;
        Ok(wake)
    }

    /// Makes deliveries end the poll's wait no more.
    pub(crate) fn remove(self, registry: &Registry) -> io::Result<()> {
        registry.deregister(&mut SourceFd(&self.fd()))
    }

    /// Returns whether there was a delivery since the last call that had no event of its own.
    pub(crate) fn take_delivery(&self) -> bool {
        false
    }

    /// Takes an eventfd with room, or makes one. Deliveries from now on make it readable.
    fn with_room() -> io::Result<SignalWake> {
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
    fn fd(&self) -> RawFd {
        EVENTFDS[self.at].load(Ordering::Acquire)
    }
}

impl Drop for SignalWake {
    fn drop(&mut self) {
        served()[self.at] -= 1;
    }
}

/// Prepares for the first handler. Nothing is needed: a loop that waits brings an eventfd.
pub(crate) fn prepare() {}

/// Ends the waits of all loops that watch signals. It is async-signal-safe. The delivery must have
/// been published.
pub(crate) fn wake_all() {
    let one = 1u64;
    for_each(|eventfd| {
        // SAFETY: the buffer has eight valid bytes, and write(2) is async-signal-safe. It fails only
        // if the counter is full, and then the descriptor is readable anyway.
        unsafe { libc::write(eventfd, (&raw const one).cast(), size_of::<u64>()) };
    });
}

/// Calls `write` with each eventfd.
fn for_each(mut write: impl FnMut(RawFd)) {
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
        let wakes: Vec<SignalWake> = (0..LOOPS * 3).map(|_| SignalWake::with_room().unwrap()).collect();
        let mut loops = HashMap::<RawFd, usize>::new();
        wakes.iter().for_each(|wake| *loops.entry(wake.fd()).or_default() += 1);
        assert!(loops.len() >= 3 && loops.values().all(|&loops| loops <= LOOPS), "{loops:?}");
        let made = MADE.load(Ordering::Acquire);
        drop(wakes);
        let again: Vec<SignalWake> = (0..LOOPS * 2).map(|_| SignalWake::with_room().unwrap()).collect();
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
