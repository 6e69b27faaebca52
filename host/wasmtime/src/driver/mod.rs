//! Drives a loop: carries out with the OS what the loop's state machine asks for.
//!
//! A run goes on by `next` (in `uv_handles_core::Driver`), which never blocks. Waiting is apart from
//! it, in three forms: `blocking` blocks the thread, `tokio` suspends the task that the guest is
//! called in, `concurrent` lets other tasks of the same instance go on.

mod blocking;
#[cfg(feature = "concurrent")]
pub(crate) mod concurrent;
#[cfg(feature = "async")]
mod tokio;

use crate::ctx::UvCtx;
use crate::ctx::clock::Clock;
use crate::os::poller::Poller;
use std::io;
use std::time::Duration;
use uv_handles_core::{
    Driver, Error, HandleId, LoopId, Loops, Occurrence, Progress, Readiness, RunId, Step, WaitStage,
};

/// The reason why a run cannot go on.
#[derive(Debug)]
pub(crate) enum RunError {
    Core(Error),
    Os(io::Error),
    /// The guest must not go on.
    Interrupted,
}

impl From<Error> for RunError {
    fn from(error: Error) -> RunError {
        RunError::Core(error)
    }
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> RunError {
        RunError::Os(error)
    }
}

/// A wait in real time, until this time of the guest's clock at the latest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wait {
    deadline: Option<u64>,
}

/// Drives a guest's sessions. A type of its own, so that the trait is no part of the public context.
#[derive(Debug)]
pub(crate) struct OsDriver<'a>(pub(crate) &'a mut UvCtx);

impl Driver for OsDriver<'_> {
    type Error = RunError;

    #[inline(always)]
    fn loops(&mut self) -> &mut Loops {
        &mut self.0.loops
    }

    #[inline(always)]
    fn proceed(&mut self, id: LoopId) -> Result<Progress, RunError> {
        self.0.proceed(id)
    }

    fn close(&mut self, handle: HandleId) {
        self.0.close_handle(handle);
    }
}

impl UvCtx {
    /// Goes on with a loop's run up to the next callback, the next wait or its end. Never blocks.
    // All on the way from here to the core is inlined: a callback that comes alone in its iteration
    // is not copied from one result into the next.
    #[inline(always)]
    pub(crate) fn proceed(&mut self, id: LoopId) -> Result<Progress, RunError> {
        loop {
            if self.interrupt.is_interrupted() {
                return Err(RunError::Interrupted);
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
                    return Ok(Progress::Deliver(event));
                }
                Step::Finished { alive } => return Ok(Progress::Finished { alive }),
                Step::Poll { timeout: Some(0) } => self.look(id)?,
                Step::Poll { .. } => {
                    if !self.is_wait_over(id)? {
                        return Ok(Progress::Wait);
                    }
                }
            }
            self.loops.polled(id, self.clock.now());
        }
    }

    /// Whether the loop, which may wait, has nothing to wait for. In virtual time a wait for a timer
    /// is over at once: the time jumps to its deadline.
    #[inline(never)]
    fn is_wait_over(&mut self, id: LoopId) -> io::Result<bool> {
        let deadline = self.loops.next_deadline(id);
        if let Clock::Virtual(clock) = &self.clock {
            let clock = clock.clone();
            self.look(id)?;
            if !self.loops.has_ready(id) {
                match deadline {
                    Some(deadline) => clock.advance_to(deadline),
                    None => return Ok(self.note_told(id)),
                }
            }
            return Ok(true);
        }
        if self.loops.has_ready(id) {
            return Ok(true);
        }
        let is_over = |ctx: &UvCtx| deadline.is_some_and(|deadline| deadline <= ctx.clock.now());
        match self.loops.wait_stage(id) {
            // The wait itself will look.
            WaitStage::New if !is_over(self) => return Ok(self.note_told(id)),
            WaitStage::Waited if is_over(self) => return Ok(true),
            // It is too late to wait, or the guest has done something else instead.
            WaitStage::New | WaitStage::Told | WaitStage::Waited => self.look(id)?,
        }
        Ok(self.loops.has_ready(id) || is_over(self) || self.note_told(id))
    }

    /// Notes that the guest is told to wait. Returns that the wait is not over.
    fn note_told(&mut self, id: LoopId) -> bool {
        self.loops.set_wait_stage(id, WaitStage::Told);
        false
    }

    /// The loop of a run and its wait, if there is anything to wait for.
    pub(crate) fn wait_of(&mut self, run: RunId) -> Result<Option<(LoopId, Wait)>, RunError> {
        let id = self.loops.loop_of_run(run)?;
        if self.interrupt.is_interrupted() {
            return Err(RunError::Interrupted);
        }
        if !self.loops.is_polling(id) || self.loops.wait_stage(id) == WaitStage::New {
            return Ok(None);
        }
        match self.loops.next_deadline(id) {
            // The time jumps there with the next step.
            Some(_) if matches!(self.clock, Clock::Virtual(_)) => Ok(None),
            deadline => Ok(Some((id, Wait { deadline }))),
        }
    }

    /// Notes that the guest has waited. An interrupt may have ended the wait.
    pub(crate) fn waited(&mut self, id: LoopId) -> Result<(), RunError> {
        if self.interrupt.is_interrupted() {
            return Err(RunError::Interrupted);
        }
        self.loops.set_wait_stage(id, WaitStage::Waited);
        Ok(())
    }

    /// For how long a wait goes on from now, none for without limit.
    fn left(&self, wait: Wait) -> Option<Duration> {
        wait.deadline.map(|deadline| self.clock.until(deadline))
    }

    /// A poll handle is told of an error, and so it has been stopped.
    #[cold]
    fn note_stopped(&mut self, id: LoopId, handle: HandleId) {
        if let Some(poller) = self.pollers.made(id) {
            poller.touch(handle);
        }
    }

    /// Whether the wait of a loop is over before its deadline.
    pub(crate) fn has_to_go_on(&self, id: LoopId) -> bool {
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
        let over = self.has_to_go_on(id);
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
