//! The poller of a plugin set.
//!
//! One poll watches the pollers of many guests. Any thread can wake it.

use crate::os::native::signal_wakes::SignalWake;
use crate::os::pollers::Pollers;
use mio::{Events, Poll, Token};
use std::io;
use std::sync::Arc;
use std::time::Duration;

const WAKE: Token = Token(usize::MAX);
const SIGNALS: Token = Token(usize::MAX - 1);

/// The number of events taken from the OS at once. The next wait takes the rest.
const EVENTS: usize = 256;

/// The poller of a plugin set's thread.
#[derive(Debug)]
pub(crate) struct PollerSet {
    poll: Poll,
    events: Events,
    waker: Arc<mio::Waker>,
    /// A poller or the signals are watched, so a wait with a zero timeout has to poll the OS.
    is_watching: bool,
    /// Lets signals end a wait.
    signals: Option<SignalWake>,
}

/// An event that a wait reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetEvent {
    /// The pollers of this member have events.
    Member(u32),
    /// A signal was delivered, to all members that watch it.
    Signal,
}

impl PollerSet {
    pub(crate) fn new() -> io::Result<PollerSet> {
        let poll = Poll::new()?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), WAKE)?);
        Ok(PollerSet {
            poll,
            events: Events::with_capacity(EVENTS),
            waker,
            is_watching: false,
            signals: None,
        })
    }

    /// Returns a waker that ends the wait in progress, or else the next one, from any thread.
    pub(crate) fn waker(&self) -> Arc<mio::Waker> {
        self.waker.clone()
    }

    /// Watches those of a member's pollers that are not watched yet.
    pub(crate) fn watch(&mut self, member: u32, pollers: &mut Pollers) -> io::Result<()> {
        self.is_watching |= pollers.watch_in_set(self.poll.registry(), Token(member as usize))?;
        Ok(())
    }

    /// Makes signals end every later wait. Returns whether that is new. One registration serves all
    /// members.
    pub(crate) fn watch_signals(&mut self) -> io::Result<bool> {
        if self.signals.is_some() {
            return Ok(false);
        }
        let waker = self.waker.clone();
        let wake = SignalWake::new(self.poll.registry(), SIGNALS, move || waker.wake())?;
        (self.signals, self.is_watching) = (Some(wake), true);
        Ok(true)
    }

    /// Stops watching a member's pollers.
    pub(crate) fn forget(&mut self, pollers: &mut Pollers) {
        pollers.forget_in_set(self.poll.registry());
    }

    /// Waits for at most `timeout` (`None`: without limit) and reports events. Returns early when
    /// woken, and possibly without a cause.
    pub(crate) fn wait(
        &mut self,
        timeout: Option<Duration>,
        mut report: impl FnMut(SetEvent),
    ) -> io::Result<()> {
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
                SIGNALS => report(SetEvent::Signal),
                member => report(SetEvent::Member(member.0 as u32)),
            }
        }
        if self.signals.as_ref().is_some_and(SignalWake::take_delivery) {
            report(SetEvent::Signal);
        }
        Ok(())
    }
}
