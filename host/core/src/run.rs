//! One run of a loop: libuv's uv_run as a resumable state machine.
//!
//! Where uv_run calls a callback or waits, [`Loops::step`] returns. The next step continues after
//! that point.

use crate::close::Stage;
use crate::watcher::WatcherKind;
use crate::{Error, Event, HandleId, LoopId, Loops, Occurrence};

/// The mode of a run (uv_run_mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunMode {
    /// Runs until nothing keeps the loop alive, or until it is stopped.
    Default,
    /// Runs one iteration, which waits if nothing is due.
    Once,
    /// Runs one iteration, which does not wait.
    NoWait,
}

/// The point at which [`Loops::step`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A callback is due. It counts as running until the next step.
    Deliver(Event),
    /// The loop polls. The driver waits until something is ready or the timeout is over, reports
    /// it, and calls [`Loops::polled`].
    Poll {
        /// The longest wait in milliseconds. `None` is without limit; 0 does not wait.
        timeout: Option<u32>,
    },
    /// The run is over.
    Finished {
        /// The return value of uv_run: whether the loop was alive at the last test.
        alive: bool,
    },
}

/// The state of a run in progress.
#[derive(Debug)]
pub(crate) struct Run {
    mode: RunMode,
    pub phase: Phase,
    /// No idle handle was active when the iteration began. Mode `once` waits only then.
    may_wait: bool,
    /// The result of the last test whether the loop is alive.
    alive: bool,
    /// The time was refreshed, and no callback has run since. The clock need not be read again.
    time_is_fresh: bool,
    /// The progress of the guest's wait in this poll.
    wait: WaitStage,
    /// The handle whose callback is running, and the action that follows the callback.
    running: Option<(HandleId, After)>,
}

/// A wait that a run has to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// The time at which the wait ends, as [`Loops::next_deadline`]. `None` is without limit.
    pub deadline: Option<u64>,
}

/// The progress of the wait that [`Step::Poll`] asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WaitStage {
    /// The loop has reached its poll.
    #[default]
    New,
    /// The guest has been told to wait.
    Told,
    /// The guest has waited.
    Waited,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Begin,
    /// Mode `default` runs due timers once before its first iteration.
    InitialTimers,
    /// Between two iterations.
    Test,
    Idle,
    Prepare,
    /// The driver waits.
    Poll,
    Async,
    Ready,
    Signals,
    Check,
    Closing,
    Timers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Nothing,
    Signal,
    Closed,
}

impl Loops {
    /// Starts a run. It is refused while a run is in progress, so also inside callbacks.
    pub fn begin(&mut self, id: LoopId, mode: RunMode) -> Result<(), Error> {
        self.check_idle(id)?;
        self.state_mut(id).run = Some(Run {
            mode,
            phase: Phase::Begin,
            may_wait: false,
            alive: false,
            time_is_fresh: false,
            wait: WaitStage::New,
            running: None,
        });
        Ok(())
    }

    /// Refuses a closed loop, and one whose run is in progress.
    pub(crate) fn check_idle(&self, id: LoopId) -> Result<(), Error> {
        match self.open_state(id)?.run {
            None => Ok(()),
            Some(_) => Err(Error::Busy),
        }
    }

    /// Continues the run to the next callback, the next wait or its end.
    ///
    /// `clock` returns the time in milliseconds. It is called where libuv refreshes its time. The
    /// call is refused if no run is in progress.
    #[inline(always)]
    pub fn step(&mut self, id: LoopId, clock: &mut impl FnMut() -> u64) -> Result<Step, Error> {
        self.open_state(id)?;
        self.after_callback(id);
        // Most phases have no callbacks. The phase is stored in the run only where a step returns.
        let mut phase = match &self.state(id).run {
            Some(run) => run.phase,
            None => return Err(Error::Invalid),
        };
        loop {
            match phase {
                Phase::Begin => {
                    let alive = self.alive(id);
                    let run = self.run_mut(id);
                    run.alive = alive;
                    let mode = run.mode;
                    if !alive {
                        self.refresh_time(id, clock());
                    }
                    if mode == RunMode::Default && alive && !self.state(id).stop {
                        self.refresh_time(id, clock());
                        self.take_due_timers(id);
                        phase = Phase::InitialTimers;
                    } else {
                        phase = Phase::Test;
                    }
                }
                Phase::InitialTimers => match self.next_due_timer(id) {
                    Some(timer) => return Ok(self.call(id, phase, timer, Occurrence::Callback)),
                    None => phase = Phase::Test,
                },
                Phase::Test => {
                    let alive = self.run_mut(id).alive;
                    if !alive || self.state(id).stop {
                        return Ok(self.finish(id));
                    }
                    let has_idles = self.take_watchers(id, WatcherKind::Idle);
                    self.run_mut(id).may_wait = !has_idles;
                    phase = Phase::Idle;
                }
                Phase::Idle => match self.next_watcher(id, WatcherKind::Idle) {
                    Some(idle) => return Ok(self.call(id, phase, idle, Occurrence::Callback)),
                    None => {
                        let has_prepares = self.take_watchers(id, WatcherKind::Prepare);
                        phase = if has_prepares { Phase::Prepare } else { Phase::Poll };
                    }
                },
                Phase::Prepare => match self.next_watcher(id, WatcherKind::Prepare) {
                    Some(prepare) => return Ok(self.call(id, phase, prepare, Occurrence::Callback)),
                    None => phase = Phase::Poll,
                },
                Phase::Poll => {
                    self.enter(id, phase);
                    return Ok(Step::Poll { timeout: self.wait_limit(id) });
                }
                Phase::Async => match self.next_async(id) {
                    Some(handle) => return Ok(self.call(id, phase, handle, Occurrence::Callback)),
                    None => phase = Phase::Ready,
                },
                Phase::Ready => match self.next_ready(id) {
                    Some((poll, events)) => return Ok(self.call(id, phase, poll, Occurrence::Poll(events))),
                    None => {
                        self.read_signals(id);
                        phase = Phase::Signals;
                    }
                },
                Phase::Signals => match self.next_signal(id) {
                    Some((signal, signum)) => {
                        return Ok(self.call(id, phase, signal, Occurrence::Signal(signum)));
                    }
                    None => {
                        self.take_watchers(id, WatcherKind::Check);
                        phase = Phase::Check;
                    }
                },
                Phase::Check => match self.next_watcher(id, WatcherKind::Check) {
                    Some(check) => return Ok(self.call(id, phase, check, Occurrence::Callback)),
                    None => {
                        self.take_closing(id);
                        phase = Phase::Closing;
                    }
                },
                Phase::Closing => match self.next_closing(id) {
                    Some(handle) => return Ok(self.call(id, phase, handle, Occurrence::Closed)),
                    None => {
                        // No callback has run since the poll, so the time of the poll is still
                        // current.
                        if !self.run_mut(id).time_is_fresh {
                            self.refresh_time(id, clock());
                        }
                        self.take_due_timers(id);
                        phase = Phase::Timers;
                    }
                },
                Phase::Timers => match self.next_due_timer(id) {
                    Some(timer) => return Ok(self.call(id, phase, timer, Occurrence::Callback)),
                    None => {
                        let alive = self.alive(id);
                        self.run_mut(id).alive = alive;
                        if self.run_mut(id).mode != RunMode::Default {
                            return Ok(self.finish(id));
                        }
                        phase = Phase::Test;
                    }
                },
            }
        }
    }

    /// Ends the wait of [`Step::Poll`], after everything ready has been reported. The call has no
    /// effect if the loop is not waiting.
    #[inline]
    pub fn polled(&mut self, id: LoopId, now: u64) {
        if !matches!(&self.state(id).run, Some(run) if run.phase == Phase::Poll) {
            return;
        }
        self.refresh_time(id, now);
        let run = self.run_mut(id);
        (run.time_is_fresh, run.wait) = (true, WaitStage::New);
        self.take_asyncs(id);
        self.note_signals(id);
        let next = if self.calls_after_poll(id) { Phase::Async } else { Phase::Timers };
        self.enter(id, next);
    }

    /// Returns whether a callback follows the poll in this iteration, or a timer may be due. Only a
    /// callback can change the answer.
    fn calls_after_poll(&self, id: LoopId) -> bool {
        let state = self.state(id);
        let lists = [
            state.asyncs.unvisited(),
            state.polls.ready(),
            state.watchers.active(WatcherKind::Check),
            state.closing,
            state.timers.due(),
        ];
        lists.into_iter().any(|list| !self.links.is_empty(list))
            || !state.signals.is_empty()
            || state.timers.may_be_due(&self.links, state.now)
    }

    /// Returns the progress of the wait of the current poll.
    #[inline(always)]
    pub fn wait_stage(&self, id: LoopId) -> WaitStage {
        self.state(id).run.as_ref().map_or(WaitStage::New, |run| run.wait)
    }

    /// Records the progress of the wait of the current poll.
    pub fn set_wait_stage(&mut self, id: LoopId, stage: WaitStage) {
        if let Some(run) = &mut self.state_mut(id).run {
            run.wait = stage;
        }
    }

    /// Returns whether the guest has waited in the current poll, and the wait has reported events.
    /// The driver then need not poll again, as libuv polls once.
    #[inline(always)]
    pub fn wait_has_reported(&self, id: LoopId) -> bool {
        self.wait_stage(id) == WaitStage::Waited && self.has_ready(id)
    }

    /// Returns whether the mode of the loop's run lets an iteration wait.
    pub fn mode_waits(&self, id: LoopId) -> bool {
        self.state(id).run.as_ref().is_some_and(|run| run.mode != RunMode::NoWait)
    }

    /// Returns the wait of the loop's run, if it has to wait: it has come to its poll, the guest has been
    /// told, and nothing has happened since that ends the wait, such as a stop or a started idle handle.
    pub fn pending_wait(&mut self, id: LoopId) -> Option<Wait> {
        let is_told = matches!(
            &self.state(id).run,
            Some(run) if run.phase == Phase::Poll && run.running.is_none() && run.wait != WaitStage::New
        );
        if !is_told {
            return None;
        }
        match self.wait_limit(id) {
            Some(0) => None,
            Some(_) => Some(Wait { deadline: self.next_deadline(id) }),
            None => Some(Wait { deadline: None }),
        }
    }

    /// Returns the latest time at which the wait of [`Step::Poll`] ends: the deadline of the first
    /// timer. `None` is without limit. The value is not limited to the range of uv_backend_timeout.
    pub fn next_deadline(&mut self, id: LoopId) -> Option<u64> {
        let state = &mut self.loops[id.at()];
        state.timers.earliest(&self.links)
    }

    /// Ends a run at any point. Handles that it has taken and not called return to their lists, so
    /// the loop can run again.
    pub(crate) fn abandon(&mut self, id: LoopId) {
        self.after_callback(id);
        let state = self.state_mut(id);
        (state.run, state.stop) = (None, false);
        self.put_back_timers(id);
        self.put_back_watchers(id);
        self.put_back_asyncs(id);
        self.put_back_closing(id);
        self.state_mut(id).signals.put_back();
    }

    /// Returns whether an event has been reported that ends a wait.
    #[inline(always)]
    pub fn has_ready(&self, id: LoopId) -> bool {
        let state = self.state(id);
        state.asyncs.woken() || !self.links.is_empty(state.polls.ready()) || !state.signals.is_empty()
    }

    /// Returns the timeout of the next poll (uv__backend_timeout).
    #[inline]
    pub(crate) fn timeout(&mut self, id: LoopId) -> Option<u32> {
        let state = self.state(id);
        let idles = state.watchers.active(WatcherKind::Idle);
        let wait = !state.stop
            && state.active_referenced > 0
            && self.links.is_empty(idles)
            && self.links.is_empty(state.closing);
        if wait { self.next_timeout(id) } else { Some(0) }
    }

    #[inline]
    fn wait_limit(&mut self, id: LoopId) -> Option<u32> {
        let run = self.run_mut(id);
        let wait = match run.mode {
            RunMode::Default => true,
            RunMode::Once => run.may_wait,
            RunMode::NoWait => false,
        };
        if wait && !self.has_ready(id) { self.timeout(id) } else { Some(0) }
    }

    /// Returns whether the handle's callback is running.
    pub(crate) fn is_running(&self, id: HandleId) -> bool {
        let run = &self.state(self.loop_of(id)).run;
        matches!(run, Some(Run { running: Some((handle, _)), .. }) if *handle == id)
    }

    /// Returns the handle whose callback is running in this loop, unless it is a close callback.
    pub(crate) fn running(&self, id: LoopId) -> Option<HandleId> {
        let (handle, after) = self.state(id).run.as_ref()?.running?;
        (after != After::Closed).then_some(handle)
    }

    // Inlined: a step that goes through memory costs as much as a tenth of an iteration.
    #[inline(always)]
    pub(crate) fn call(&mut self, id: LoopId, phase: Phase, handle: HandleId, what: Occurrence) -> Step {
        let after = match what {
            Occurrence::Signal(_) => After::Signal,
            Occurrence::Closed => After::Closed,
            Occurrence::Callback | Occurrence::Poll(_) => After::Nothing,
        };
        Step::Deliver(Event { handle, token: self.begin_callback(id, phase, handle, after), what })
    }

    /// Records the callback that runs, and returns its token.
    fn begin_callback(&mut self, id: LoopId, phase: Phase, handle: HandleId, after: After) -> u64 {
        let run = self.run_mut(id);
        (run.phase, run.running, run.time_is_fresh) = (phase, Some((handle, after)), false);
        self.token(handle)
    }

    /// Performs the action that follows the running callback, if there is one.
    #[inline]
    pub(crate) fn after_callback(&mut self, id: LoopId) {
        let running = self.state_mut(id).run.as_mut().and_then(|run| run.running.take());
        let Some((handle, after)) = running else {
            return;
        };
        match after {
            After::Nothing => {}
            After::Signal => self.signal_called(handle),
            After::Closed => self.handle_mut(handle).stage = Stage::Closed,
        }
        if self.handle(handle).dropped {
            self.free_slot(handle);
        }
    }

    #[inline(always)]
    fn enter(&mut self, id: LoopId, phase: Phase) {
        self.run_mut(id).phase = phase;
    }

    fn finish(&mut self, id: LoopId) -> Step {
        let alive = self.run_mut(id).alive;
        let state = self.state_mut(id);
        state.stop = false;
        state.run = None;
        Step::Finished { alive }
    }

    #[inline(always)]
    fn run_mut(&mut self, id: LoopId) -> &mut Run {
        self.state_mut(id).run.as_mut().expect("the loop has a run")
    }
}

#[cfg(test)]
mod tests;
