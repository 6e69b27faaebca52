//! Waiting for many guests on one thread, each of which may have pollers of its own: one poll that watches them, and that
//! any thread wakes.

use crate::os::pollers::Pollers;
use crate::os::signals;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

const WAKE: Token = Token(usize::MAX);
const SIGNALS: Token = Token(usize::MAX - 1);

/// Members that are reported at once. More are reported by the next look.
const EVENTS: usize = 256;

/// What the thread of a set waits with.
#[derive(Debug)]
pub(crate) struct SetPoller {
    poll: Poll,
    events: Events,
    waker: Arc<mio::Waker>,
    /// A poller or the signals are watched, so that they have to be looked at also without waiting.
    is_watching: bool,
    watches_signals: bool,
}

/// What a wait has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// The pollers of this member have something.
    Member(u32),
    /// A signal was delivered, to whoever watches it.
    Signal,
}

impl SetPoller {
    pub(crate) fn new() -> io::Result<SetPoller> {
        let poll = Poll::new()?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), WAKE)?);
        Ok(SetPoller {
            poll,
            events: Events::with_capacity(EVENTS),
            waker,
            is_watching: false,
            watches_signals: false,
        })
    }

    /// Ends the wait in progress, or else the next one, from any thread.
    pub(crate) fn waker(&self) -> Arc<mio::Waker> {
        self.waker.clone()
    }

    /// Watches those of a member's pollers that are not watched yet. What they have by then is reported too; what they still
    /// have after it has been reported is not, until more comes.
    pub(crate) fn watch(&mut self, member: u32, pollers: &mut Pollers) -> io::Result<()> {
        pollers.watch_all(|fd: RawFd| {
            self.is_watching = true;
            self.poll.registry().register(&mut SourceFd(&fd), Token(member as usize), Interest::READABLE)
        })
    }

    /// Lets signals end a wait, from now on for ever. Answers whether that is new. Once for all members: Linux lets no file be
    /// watched by more than 500 pollers that are watched themselves.
    pub(crate) fn watch_signals(&mut self) -> io::Result<bool> {
        if self.watches_signals {
            return Ok(false);
        }
        let fd = signals::wake_fd()?;
        self.poll.registry().register(&mut SourceFd(&fd), SIGNALS, Interest::READABLE)?;
        (self.watches_signals, self.is_watching) = (true, true);
        Ok(true)
    }

    /// Watches a member's pollers no longer.
    pub(crate) fn forget(&mut self, pollers: &mut Pollers) {
        // It fails only for what is not watched, which is what is wanted.
        pollers.forget_all(|fd| drop(self.poll.registry().deregister(&mut SourceFd(&fd))));
    }

    /// Waits for at most this long (none: without limit) and reports what there is. Returns early when it is woken, and also
    /// without cause.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>, mut found: impl FnMut(Found)) -> io::Result<()> {
        if timeout == Some(Duration::ZERO) && !self.is_watching {
            return Ok(());
        }
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        for event in &self.events {
            match event.token() {
                WAKE => {}
                SIGNALS => found(Found::Signal),
                member => found(Found::Member(member.0 as u32)),
            }
        }
        Ok(())
    }
}
