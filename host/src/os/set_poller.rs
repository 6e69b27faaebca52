//! Waiting for many guests on one thread, each of which may have pollers of its own: one poll that watches them, and that
//! any thread wakes.

use crate::os::poller::Pollers;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

const WAKE: Token = Token(usize::MAX);

/// Members that are reported at once. More are reported by the next look.
const EVENTS: usize = 256;

/// What the thread of a set waits with.
#[derive(Debug)]
pub(crate) struct SetPoller {
    poll: Poll,
    events: Events,
    waker: Arc<mio::Waker>,
    /// A poller is watched, so that it has to be looked at also without waiting.
    is_watching: bool,
}

impl SetPoller {
    pub(crate) fn new() -> io::Result<SetPoller> {
        let poll = Poll::new()?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), WAKE)?);
        Ok(SetPoller { poll, events: Events::with_capacity(EVENTS), waker, is_watching: false })
    }

    /// Ends the wait in progress, or else the next one, from any thread.
    pub(crate) fn waker(&self) -> Arc<mio::Waker> {
        self.waker.clone()
    }

    /// Watches those of a member's pollers that are not watched yet. What they have by now is not reported, so the
    /// member is to be looked at afterwards.
    pub(crate) fn watch(&mut self, member: u32, pollers: &mut Pollers) -> io::Result<()> {
        pollers.watch_all(|fd: RawFd| {
            self.is_watching = true;
            self.poll.registry().register(&mut SourceFd(&fd), Token(member as usize), Interest::READABLE)
        })
    }

    /// Watches a member's pollers no longer.
    pub(crate) fn forget(&mut self, pollers: &mut Pollers) {
        // It fails only for what is not watched, which is what is wanted.
        pollers.forget_all(|fd| drop(self.poll.registry().deregister(&mut SourceFd(&fd))));
    }

    /// Waits for at most this long (none: without limit) and reports the members whose pollers have something. Returns early
    /// when it is woken, and also without cause.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>, mut ready: impl FnMut(u32)) -> io::Result<()> {
        if timeout == Some(Duration::ZERO) && !self.is_watching {
            return Ok(());
        }
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        for event in &self.events {
            if event.token() != WAKE {
                ready(event.token().0 as u32);
            }
        }
        Ok(())
    }
}
