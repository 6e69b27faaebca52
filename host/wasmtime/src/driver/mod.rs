//! Drives a loop: performs the OS operations that the state machine requests.
//!
//! `next` (in `uv_handles_core::Driver`) continues a run and never blocks. Waiting is separate and
//! has three forms: `blocking` blocks the thread, `tokio` suspends the task that calls the guest,
//! `concurrent` lets other tasks of the same instance continue.

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
    Driver, Error, HandleId, LoopId, Loops, Occurrence, Progress, Readiness, RunId, Step, Wait, WaitStage,
};

/// The reason why a run cannot continue.
#[derive(Debug)]
pub(crate) enum RunError {
    Core(Error),
    Os(io::Error),
    /// The guest was interrupted.
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

/// Drives a guest's sessions. A separate type keeps the `Driver` trait out of the public context.
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
    /// Continues a loop's run to the next callback, the next wait or its end. Never blocks.
    // Everything from here to the core is inlined, so that a callback that is alone in its
    // iteration is not copied from one result into the next.
    #[inline(always)]
    pub(crate) fn proceed(&mut self, id: LoopId) -> Result<Progress, RunError> {
        self.collect();
        loop {
            if self.interrupt.is_interrupted() {
                return Err(RunError::Interrupted);
            }
            let clock = &self.clock;
            let step = self.loops.step(id, &mut || clock.now())?;
            // The step may have stopped a one-shot signal handle.
            self.catch_signals()?;
            match step {
                Step::Deliver(event) => {
                    if matches!(event.what, Occurrence::Poll(Err(_))) {
                        self.after_poll_error(id, event.handle);
                    }
                    return Ok(Progress::Deliver(event));
                }
                Step::Finished { alive } => return Ok(Progress::Finished { alive }),
                Step::Poll { .. } if self.turn.is_over() && self.ends_turn(id) => {
                    return Ok(Progress::Wait);
                }
                Step::Poll { .. } if self.loops.wait_has_reported(id) => {}
                Step::Poll { timeout: Some(0) } => self.poll_ready(id)?,
                Step::Poll { timeout } => {
                    if !self.is_wait_over(id, timeout)? {
                        return Ok(Progress::Wait);
                    }
                }
            }
            let now = self.clock.now();
            self.loops.polled(id, now);
            if self.turn.in_task {
                self.turn.polled(self.clock.as_real(now));
            }
        }
    }

    /// Returns whether the guest has to be told to wait although it need not, so that its task
    /// yields. A guest that runs its loop without waiting is never told.
    #[cold]
    fn ends_turn(&mut self, id: LoopId) -> bool {
        self.loops.mode_waits(id) && self.turn.ends()
    }

    /// Returns whether the wait of the loop is over. In virtual time a wait for a timer is over at
    /// once: the time jumps to the deadline.
    #[inline(always)]
    fn is_wait_over(&mut self, id: LoopId, timeout: Option<u32>) -> io::Result<bool> {
        match (timeout, &self.clock, self.loops.wait_stage(id)) {
            // There is no deadline that could have passed. The wait itself polls.
            (None, Clock::Monotonic { .. }, WaitStage::New) => Ok(self.record_told(id)),
            _ => self.has_wait_ended(id),
        }
    }

    #[inline(never)]
    fn has_wait_ended(&mut self, id: LoopId) -> io::Result<bool> {
        let deadline = self.loops.next_deadline(id);
        if let Clock::Virtual(clock) = &self.clock {
            let clock = clock.clone();
            self.poll_ready(id)?;
            if !self.loops.has_ready(id) {
                match deadline {
                    Some(deadline) => clock.advance_to(deadline),
                    None => return Ok(self.record_told(id)),
                }
            }
            return Ok(true);
        }
        if self.loops.has_ready(id) {
            return Ok(true);
        }
        let is_over = |ctx: &UvCtx| deadline.is_some_and(|deadline| deadline <= ctx.clock.now());
        match self.loops.wait_stage(id) {
            // The wait itself polls.
            WaitStage::New if !is_over(self) => return Ok(self.record_told(id)),
            WaitStage::Waited if is_over(self) => return Ok(true),
            // The deadline has passed, or the guest has done something other than wait.
            WaitStage::New | WaitStage::Told | WaitStage::Waited => self.poll_ready(id)?,
        }
        Ok(self.loops.has_ready(id) || is_over(self) || self.record_told(id))
    }

    /// Records that the guest was told to wait. Returns that the wait is not over.
    fn record_told(&mut self, id: LoopId) -> bool {
        self.loops.set_wait_stage(id, WaitStage::Told);
        false
    }

    /// Returns the loop of a run and its wait, if there is anything to wait for.
    pub(crate) fn wait_of(&mut self, run: RunId) -> Result<Option<(LoopId, Wait)>, RunError> {
        if self.interrupt.is_interrupted() {
            return Err(RunError::Interrupted);
        }
        let id = self.loops.loop_of_run(run)?;
        Ok(match self.loops.pending_wait(id) {
            // The time jumps to the deadline in the next step.
            Some(Wait { deadline: Some(_) }) if matches!(self.clock, Clock::Virtual(_)) => None,
            wait => wait.map(|wait| (id, wait)),
        })
    }

    /// Records that the guest has waited. Returns an error if an interrupt ended the wait.
    pub(crate) fn waited(&mut self, id: LoopId) -> Result<(), RunError> {
        if self.interrupt.is_interrupted() {
            return Err(RunError::Interrupted);
        }
        self.loops.set_wait_stage(id, WaitStage::Waited);
        Ok(())
    }

    /// Returns the rest of a wait, `None` without limit.
    fn remaining(&self, wait: Wait) -> Option<Duration> {
        wait.deadline.map(|deadline| self.clock.until(deadline))
    }

    /// Stops watching for a poll handle that the core has stopped with an error.
    #[cold]
    fn after_poll_error(&mut self, id: LoopId, handle: HandleId) {
        if let Some(poller) = self.pollers.made(id) {
            poller.mark_stale(handle);
        }
    }

    /// Returns whether the wait of a loop has to end before its deadline.
    pub(crate) fn must_end_wait(&self, id: LoopId) -> bool {
        self.loops.has_ready(id) || self.interrupt.is_interrupted()
    }

    /// Collects ready events without waiting. Async sends and signals are known without a system
    /// call, so none is made unless descriptors are watched.
    #[inline(always)]
    pub(crate) fn poll_ready(&mut self, id: LoopId) -> io::Result<()> {
        self.poll_pollables(id);
        if self.pollers.made(id).is_some_and(|poller| poller.has_stale()) {
            self.register(id)?;
        }
        if let Some(poller) = self.pollers.made(id).filter(|poller| poller.is_watching()) {
            take_ready(poller, &mut self.loops, Some(Duration::ZERO))?;
        }
        self.collect();
        Ok(())
    }

    /// Collects ready events without waiting, also while the loop does not run. Only a loop that
    /// watches descriptors or signals needs a poller for that.
    pub(crate) fn poll_ready_outside_run(&mut self, id: LoopId) -> io::Result<()> {
        if self.pollers.made(id).is_some() || self.waits_for_signals(id) {
            return self.poll(id, Some(Duration::ZERO));
        }
        self.poll_pollables(id);
        self.collect();
        Ok(())
    }

    /// Returns whether a signal has to end the loop's own wait.
    fn waits_for_signals(&self, id: LoopId) -> bool {
        self.loops.watches_signals(id) && !self.pollers.signals_are_watched
    }

    /// Polls the OS once and reports all events to the loop.
    pub(crate) fn poll(&mut self, id: LoopId, timeout: Option<Duration>) -> io::Result<()> {
        if self.pollers.get(id)?.has_stale() {
            self.register(id)?;
        }
        let signals = self.waits_for_signals(id);
        self.pollers.watch_signals(id, signals)?;
        // From here on, every event from outside ends the wait. Earlier events are collected here.
        self.collect();
        self.poll_pollables(id);
        let over = self.must_end_wait(id);
        let poller = self.pollers.get(id)?;
        take_ready(poller, &mut self.loops, if over { Some(Duration::ZERO) } else { timeout })?;
        self.collect();
        self.poll_pollables(id);
        Ok(())
    }

    /// Updates the OS registrations of the loop's poll handles.
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

#[cfg(test)]
mod tests {
    use super::*;
    use uv_handles_core::{Delivery, RunMode};

    fn next(ctx: &mut UvCtx, run: RunId) -> Delivery {
        OsDriver(ctx).next(run, 1).unwrap()
    }

    #[test]
    fn the_end_of_a_wait_does_not_depend_on_the_loops_cached_time() {
        let mut ctx = UvCtx::builder().build();
        let id = ctx.loops.make_loop(ctx.clock.now()).unwrap();
        let timer = ctx.loops.make_timer(id, 0).unwrap();
        ctx.loops.timer_start(timer, 1_000_000, 0).unwrap();
        let deadline = ctx.loops.now(id).unwrap() + 1_000_000;
        // The guest computes. A run of mode once does not refresh the time before its wait.
        while ctx.clock.now() < ctx.loops.now(id).unwrap() + 3 {
            std::hint::spin_loop();
        }
        let run = ctx.loops.begin_run(id, RunMode::Once).unwrap();
        assert_eq!(next(&mut ctx, run), Delivery::Wait);
        let (_, wait) = ctx.wait_of(run).unwrap().expect("the timer is not due");
        assert_eq!(wait.deadline, Some(deadline));
    }

    #[test]
    fn virtual_time_jumps_to_the_farthest_deadline_at_once() {
        let mut ctx = UvCtx::builder().virtual_time(true).build();
        let id = ctx.loops.make_loop(0).unwrap();
        let timer = ctx.loops.make_timer(id, 7).unwrap();
        ctx.loops.timer_start(timer, u64::MAX, 0).unwrap();
        // Its callback shows when an iteration begins.
        let prepare = ctx.loops.make_prepare(id, 8).unwrap();
        ctx.loops.watcher_start(prepare).unwrap();
        let run = ctx.loops.begin_run(id, RunMode::Default).unwrap();
        for token in [8, 7] {
            assert!(matches!(next(&mut ctx, run), Delivery::Event(called) if called.token == token));
        }
        assert_eq!(ctx.clock.now(), u64::MAX);
    }
}
