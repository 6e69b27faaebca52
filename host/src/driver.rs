//! Driving a loop: what the loop's core asks for, done with the OS. The whole of a guest's blocking
//! happens here.

use crate::UvCtx;
use crate::clock::Clock;
use crate::os::poller;
use std::io;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};
use uv_handles_core::{Error, Event, LoopId, Readiness, Step};

/// What a run has come to.
#[derive(Debug)]
pub(crate) enum Pulled {
    Event(Event),
    Finished { alive: bool },
}

/// Why a run can not go on.
#[derive(Debug)]
pub(crate) enum PullError {
    Core(Error),
    Os(io::Error),
    /// The guest must not go on.
    Interrupted,
}

impl From<Error> for PullError {
    fn from(error: Error) -> PullError {
        PullError::Core(error)
    }
}

impl From<io::Error> for PullError {
    fn from(error: io::Error) -> PullError {
        PullError::Os(error)
    }
}

impl UvCtx {
    /// Goes on with a run, and blocks until a callback is due or the run has finished.
    pub(crate) fn pull(&mut self, id: LoopId) -> Result<Pulled, PullError> {
        loop {
            if self.interrupt.is_interrupted() {
                return Err(PullError::Interrupted);
            }
            self.collect();
            let clock = &self.clock;
            let step = self.loops.step(id, &mut || clock.now())?;
            // The step may have stopped a one-shot signal handle.
            self.catch_signals()?;
            match step {
                Step::Deliver(event) => return Ok(Pulled::Event(event)),
                Step::Finished { alive } => return Ok(Pulled::Finished { alive }),
                Step::Poll { timeout } => {
                    if let Err(error) = self.wait(id, timeout) {
                        self.loops.give_up(id);
                        return Err(error.into());
                    }
                    self.loops.polled(id, self.clock.now());
                }
            }
        }
    }

    /// Waits until something is ready for the loop, at most so many milliseconds.
    fn wait(&mut self, id: LoopId, timeout: Option<u32>) -> io::Result<()> {
        if timeout == Some(0) {
            return self.look(id);
        }
        if matches!(self.clock, Clock::Virtual(_)) {
            self.look(id)?;
            if self.loops.has_ready(id) {
                return Ok(());
            }
            if let (Some(timeout), Clock::Virtual(clock)) = (timeout, &self.clock) {
                clock.advance(timeout.into());
                return Ok(());
            }
        }
        let deadline = timeout.map(|timeout| Instant::now() + Duration::from_millis(timeout.into()));
        // A wait may end without cause: by a signal for somebody else, or by an event that nobody
        // asked for. libuv goes on waiting then, and so does this.
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            self.poll(id, left)?;
            let over = self.loops.has_ready(id) || self.interrupt.is_interrupted();
            if over || left.is_some_and(|left| left.is_zero()) {
                return Ok(());
            }
        }
    }

    /// Sees what is ready without waiting - and without a system call, if none could bring anything:
    /// wake-ups and signals are known without one.
    fn look(&mut self, id: LoopId) -> io::Result<()> {
        match self.pollers.made(id) {
            Some(poller) if poller.has_registrations() => self.poll(id, Some(Duration::ZERO)),
            _ => Ok(()),
        }
    }

    /// Asks the OS once, and reports all that there is to the loop.
    fn poll(&mut self, id: LoopId, timeout: Option<Duration>) -> io::Result<()> {
        let poller = self.pollers.get(id)?;
        let (loops, descriptors) = (&mut self.loops, &self.descriptors);
        let refused = poller.refresh(|handle| {
            let events = loops.poll_events(handle);
            let fd = loops.poll_source(handle).and_then(|source| descriptors.fd(source))?;
            (!events.is_empty()).then_some((fd.as_raw_fd(), events))
        });
        for handle in refused {
            loops.poll_ready(handle, Readiness::ERROR);
        }
        poller.watch_signals(loops.watches_signals(id))?;
        // From here on, whatever comes from outside ends the wait. What came earlier is known.
        self.collect();
        let over = self.loops.has_ready(id) || self.interrupt.is_interrupted();
        let timeout = if over { Some(Duration::ZERO) } else { timeout };
        let poller = self.pollers.get(id)?;
        let (loops, descriptors) = (&mut self.loops, &self.descriptors);
        poller.wait(timeout, |handle, readiness| {
            let fd = || loops.poll_source(handle).and_then(|source| descriptors.fd(source));
            let readiness = poller::without_false_data(readiness, fd);
            loops.poll_ready(handle, readiness)
        })?;
        self.collect();
        Ok(())
    }
}
