//! Driving a loop: what the loop's core asks for, done with the OS. Whatever blocks a thread does it here;
//! `tokio.rs` is the other way to wait.

pub(crate) mod batch;
#[cfg(feature = "async")]
mod tokio;

use crate::ctx::UvCtx;
use crate::ctx::clock::Clock;
use crate::driver::batch::{Beside, brief_token, in_one};
use crate::os::poller::Poller;
use std::io;
use std::time::{Duration, Instant};
use uv_handles_core::{Error, Event, HandleId, LoopId, Loops, Occurrence, PollEvents, Readiness, Step};

/// What a run has come to.
#[derive(Debug)]
pub(crate) enum Pulled {
    Event(Event),
    /// The tokens of several callbacks without arguments.
    Callbacks(Vec<u64>),
    /// The tokens of several poll handles, and what is ready of each.
    Polls(Vec<(u64, PollEvents)>),
    /// The tokens of several close callbacks.
    Closes(Vec<u64>),
    Finished {
        alive: bool,
    },
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

/// How far a run comes without waiting.
#[derive(Debug)]
pub(crate) enum Next {
    Pulled(Pulled),
    /// It waits, and [`UvCtx::waited`] lets it go on.
    Wait(Wait),
}

/// A wait in real time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wait {
    pub deadline: Option<Instant>,
}

impl UvCtx {
    /// Goes on with a run, and blocks until a callback is due or the run has finished.
    pub(crate) fn pull(&mut self, id: LoopId, max: u32) -> Result<Pulled, PullError> {
        let pulled = match self.take_found(id) {
            Some(found) => found,
            None => self.pull_one(id),
        }?;
        Ok(self.with_upcoming(id, pulled, max))
    }

    /// The same for one callback, whatever an earlier pull has found.
    //
    // All on the way from here to the core is inlined: what guests that are called once in an iteration pull then is not
    // copied from one result into the next.
    #[inline(always)]
    pub(crate) fn pull_one(&mut self, id: LoopId) -> Result<Pulled, PullError> {
        self.end_batch();
        loop {
            match self.next(id)? {
                Next::Pulled(pulled) => return Ok(pulled),
                Next::Wait(wait) => {
                    let result = self.block(id, wait);
                    self.waited(id, result)?;
                }
            }
        }
    }

    /// The tokens of what has been pulled, of one or two callbacks. Anything else is kept for the next pull.
    #[inline]
    pub(crate) fn in_brief(&mut self, id: LoopId, pulled: Result<Pulled, PullError>) -> u64 {
        if let Ok(Pulled::Event(event)) = &pulled
            && let Some(token) = brief_token(event)
        {
            match self.beside(id, event) {
                Beside::Nothing => return in_one(Some(token), None),
                Beside::One(next) => return in_one(Some(token), Some(next)),
                Beside::Several => {}
            }
        }
        self.found = Some((id, pulled));
        in_one(None, None)
    }

    /// What an earlier pull has found and could not bring, unless the guest has closed the handle in the meantime.
    pub(crate) fn take_found(&mut self, id: LoopId) -> Option<Result<Pulled, PullError>> {
        let (_, found) = self.found.take_if(|(owner, _)| *owner == id)?;
        match &found {
            Ok(Pulled::Event(event)) if !self.loops.still_delivers(event) => None,
            _ => Some(found),
        }
    }

    /// What is pulled when a guest wants at most `max` callbacks.
    pub(crate) fn with_upcoming(&mut self, id: LoopId, pulled: Pulled, max: u32) -> Pulled {
        match pulled {
            Pulled::Event(event) => self.forecast(id, event, max).unwrap_or(pulled),
            _ => pulled,
        }
    }

    /// Goes on with a run up to the next callback, the next real wait, or its end.
    #[inline(always)]
    pub(crate) fn next(&mut self, id: LoopId) -> Result<Next, PullError> {
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
                Step::Deliver(event) => {
                    if matches!(event.what, Occurrence::Poll(Err(_))) {
                        self.note_stopped(id, event.handle);
                    }
                    return Ok(Next::Pulled(Pulled::Event(event)));
                }
                Step::Finished { alive } => return Ok(Next::Pulled(Pulled::Finished { alive })),
                Step::Poll { timeout } => match self.begin_wait(id, timeout) {
                    Ok(Some(wait)) => return Ok(Next::Wait(wait)),
                    other => self.waited(id, other.map(drop))?,
                },
            }
        }
    }

    /// A poll handle is told of an error, and so it has been stopped.
    #[cold]
    fn note_stopped(&mut self, id: LoopId, handle: HandleId) {
        if let Some(poller) = self.pollers.made(id) {
            poller.touch(handle);
        }
    }

    /// Lets a run go on after its wait. One that could not wait is over.
    #[inline]
    pub(crate) fn waited(&mut self, id: LoopId, result: io::Result<()>) -> io::Result<()> {
        match &result {
            Ok(()) => self.loops.polled(id, self.clock.now()),
            Err(_) => self.loops.give_up(id),
        }
        result
    }

    /// Looks at what is ready for the loop, and answers whether it has to wait in real time.
    #[inline(always)]
    fn begin_wait(&mut self, id: LoopId, timeout: Option<u32>) -> io::Result<Option<Wait>> {
        match timeout {
            Some(0) => self.look(id).map(|()| None),
            _ => self.begin_long_wait(id, timeout),
        }
    }

    #[inline(never)]
    fn begin_long_wait(&mut self, id: LoopId, timeout: Option<u32>) -> io::Result<Option<Wait>> {
        if matches!(self.clock, Clock::Virtual(_)) {
            self.look(id)?;
            if self.loops.has_ready(id) {
                return Ok(None);
            }
            if let (Some(timeout), Clock::Virtual(clock)) = (timeout, &self.clock) {
                clock.advance(timeout.into());
                return Ok(None);
            }
        }
        let deadline = timeout.map(|timeout| Instant::now() + Duration::from_millis(timeout.into()));
        Ok(Some(Wait { deadline }))
    }

    /// Blocks the thread until something is ready for the loop, or the wait is over.
    ///
    /// A wait may end without cause: by a signal for somebody else, or by an event that nobody asked
    /// for. libuv goes on waiting then, and so does this.
    fn block(&mut self, id: LoopId, wait: Wait) -> io::Result<()> {
        let left = || wait.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        loop {
            self.poll(id, left())?;
            if self.wait_is_over(id) || left() == Some(Duration::ZERO) {
                return Ok(());
            }
        }
    }

    pub(crate) fn wait_is_over(&self, id: LoopId) -> bool {
        self.loops.has_ready(id) || self.interrupt.is_interrupted()
    }

    /// Sees what is ready without waiting - and without a system call, if none could bring anything:
    /// wake-ups and signals are known without one.
    #[inline(always)]
    pub(crate) fn look(&mut self, id: LoopId) -> io::Result<()> {
        match self.pollers.made(id) {
            Some(poller) if poller.has_stale() => self.register(id)?,
            Some(_) => {}
            None => return Ok(()),
        }
        match self.pollers.made(id) {
            Some(poller) if poller.is_watching() => {
                take_ready(poller, &mut self.loops, Some(Duration::ZERO))?;
                self.collect();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Sees what is ready without waiting, also while the loop does not run. Only a loop that watches descriptors or
    /// signals needs a poller for that.
    pub(crate) fn look_from_outside(&mut self, id: LoopId) -> io::Result<()> {
        if self.pollers.made(id).is_some() || self.waits_for_signals(id) {
            return self.poll(id, Some(Duration::ZERO));
        }
        self.collect();
        Ok(())
    }

    /// Whether a signal has to end the loop's own wait.
    fn waits_for_signals(&self, id: LoopId) -> bool {
        self.loops.watches_signals(id) && !self.pollers.signals_are_watched
    }

    /// Asks the OS once, and reports all that there is to the loop.
    pub(crate) fn poll(&mut self, id: LoopId, timeout: Option<Duration>) -> io::Result<()> {
        self.register(id)?;
        let signals = self.waits_for_signals(id);
        self.pollers.get(id)?.watch_signals(signals)?;
        // From here on, whatever comes from outside ends the wait. What came earlier is known.
        self.collect();
        let over = self.wait_is_over(id);
        let poller = self.pollers.get(id)?;
        take_ready(poller, &mut self.loops, if over { Some(Duration::ZERO) } else { timeout })?;
        self.collect();
        Ok(())
    }

    /// Lets the OS watch what the loop's poll handles want by now.
    #[inline(never)]
    fn register(&mut self, id: LoopId) -> io::Result<()> {
        let poller = self.pollers.get(id)?;
        let (loops, descriptors) = (&mut self.loops, &self.descriptors);
        let refused = poller.refresh(|handle| {
            let events = loops.poll_events(handle);
            let fd = loops.poll_source(handle).and_then(|source| descriptors.fd(source))?;
            (!events.is_empty()).then_some((fd, events))
        });
        for handle in refused {
            loops.poll_ready(handle, Readiness::ERROR);
        }
        Ok(())
    }
}

#[inline(always)]
fn take_ready(poller: &mut Poller, loops: &mut Loops, timeout: Option<Duration>) -> io::Result<()> {
    poller.wait(timeout, |handle, readiness| {
        loops.poll_ready(handle, readiness);
    })
}
