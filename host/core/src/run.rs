//! A run of a loop: libuv's uv_run, turned inside out. Where uv_run calls a callback or waits, a
//! step returns; the next step goes on behind that point.

use crate::close::Stage;
use crate::watcher::WatcherKind;
use crate::{Error, Event, HandleId, LoopId, Loops, Occurrence};

/// How long a run goes on, as uv_run_mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunMode {
    /// Until nothing keeps the loop alive, or it is stopped.
    Default,
    /// One iteration, which waits if nothing is due.
    Once,
    /// One iteration, which does not wait.
    NoWait,
}

/// Where a run has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A callback is due. It counts as running until the next step.
    Deliver(Event),
    /// The loop polls: wait until something is ready, at most this many milliseconds (none: without
    /// limit; 0: only look), report it, and then call [`Loops::polled`].
    Poll {
        /// How long to wait, in milliseconds.
        timeout: Option<u32>,
    },
    /// The run is over.
    Finished {
        /// What uv_run returns: whether the loop was alive when that was last tested.
        alive: bool,
    },
}

/// The state of a run in progress.
#[derive(Debug)]
pub(crate) struct Run {
    mode: RunMode,
    pub phase: Phase,
    /// No idle handle was active when the iteration began: only then may mode `once` wait.
    may_wait: bool,
    /// The last test of being alive.
    alive: bool,
    /// The time has been refreshed and nothing called since, so that it need not be asked for again.
    time_is_fresh: bool,
    /// How far the guest has come with the wait of this poll.
    wait: WaitStage,
    /// The handle whose callback is running, and what is to be done after it.
    running: Option<(HandleId, After)>,
}

/// How far a driver has come with the wait that [`Step::Poll`] asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WaitStage {
    /// The loop has just come to its poll.
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
    /// Mode `default` calls due timers once before its first iteration.
    InitialTimers,
    /// Between iterations.
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
    /// Starts a run. Refused while one is in progress, so also inside its callbacks.
    pub fn begin(&mut self, id: LoopId, mode: RunMode) -> Result<(), Error> {
        self.open_state(id)?;
        let state = self.state_mut(id);
        if state.run.is_some() {
            return Err(Error::Busy);
        }
        state.run = Some(Run {
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

    /// Goes on with the run up to the next callback, the next wait or its end. `clock` gives the
    /// time in milliseconds, where libuv refreshes its own. Refused if no run is in progress.
    #[inline(always)]
    pub fn step(&mut self, id: LoopId, clock: &mut impl FnMut() -> u64) -> Result<Step, Error> {
        self.open_state(id)?;
        self.after_callback(id);
        // Phases without callbacks are passed by many times: the run is told of a phase only where it stays.
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
                    let state = self.state(id);
                    if !alive || state.stop {
                        return Ok(self.finish(id));
                    }
                    let idles = state.watchers.active(WatcherKind::Idle);
                    let may_wait = self.links.is_empty(idles);
                    self.run_mut(id).may_wait = may_wait;
                    self.take_watchers(id, WatcherKind::Idle);
                    phase = Phase::Idle;
                }
                Phase::Idle => match self.next_watcher(id, WatcherKind::Idle) {
                    Some(idle) => return Ok(self.call(id, phase, idle, Occurrence::Callback)),
                    None => {
                        self.take_watchers(id, WatcherKind::Prepare);
                        phase = Phase::Prepare;
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
                        // As if nothing had taken any time since the poll, where nothing has happened.
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

    /// Ends the wait that [`Step::Poll`] asked for, after everything that is ready was reported.
    /// Nothing happens if the loop is not waiting.
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

    /// Whether anything is to be called in this iteration after the poll, or a timer may have to be taken out. Without a
    /// callback, nothing changes that.
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

    /// How far the driver has come with the wait of the poll in progress.
    pub fn wait_stage(&self, id: LoopId) -> WaitStage {
        self.state(id).run.as_ref().map_or(WaitStage::New, |run| run.wait)
    }

    /// Notes how far the driver has come with the wait of the poll in progress.
    pub fn set_wait_stage(&mut self, id: LoopId, stage: WaitStage) {
        if let Some(run) = &mut self.state_mut(id).run {
            run.wait = stage;
        }
    }

    /// Whether the loop's run is at its poll.
    pub fn is_polling(&self, id: LoopId) -> bool {
        matches!(&self.state(id).run, Some(run) if run.phase == Phase::Poll && run.running.is_none())
    }

    /// The time at which the wait of [`Step::Poll`] is over at the latest, none for without limit: the
    /// deadline of the first timer. It is not limited to the range of uv_backend_timeout.
    pub fn next_deadline(&mut self, id: LoopId) -> Option<u64> {
        let state = &mut self.loops[id.at()];
        state.timers.earliest(&self.links)
    }

    /// Ends a run in the middle: what it has taken out to be called goes back, and the loop can be run
    /// again.
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

    /// Ends a run that cannot go on, because the driver can not wait. Another one can be started when it
    /// can. Nothing happens if the loop is not waiting.
    pub fn give_up(&mut self, id: LoopId) {
        if matches!(&self.state(id).run, Some(run) if run.phase == Phase::Poll) {
            self.finish(id);
        }
    }

    /// Whether something has been reported that ends a wait.
    pub fn has_ready(&self, id: LoopId) -> bool {
        let state = self.state(id);
        state.asyncs.woken() || !self.links.is_empty(state.polls.ready()) || !state.signals.is_empty()
    }

    /// uv__backend_timeout.
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

    /// Whether the handle's callback is running.
    pub(crate) fn is_running(&self, id: HandleId) -> bool {
        let run = &self.state(self.loop_of(id)).run;
        matches!(run, Some(Run { running: Some((handle, _)), .. }) if *handle == id)
    }

    /// The handle whose callback is running in this loop, unless that is its close callback.
    pub(crate) fn running(&self, id: LoopId) -> Option<HandleId> {
        let (handle, after) = self.state(id).run.as_ref()?.running?;
        (after != After::Closed).then_some(handle)
    }

    pub(crate) fn call(&mut self, id: LoopId, phase: Phase, handle: HandleId, what: Occurrence) -> Step {
        let after = match what {
            Occurrence::Signal(_) => After::Signal,
            Occurrence::Closed => After::Closed,
            Occurrence::Callback | Occurrence::Poll(_) => After::Nothing,
        };
        let run = self.run_mut(id);
        (run.phase, run.running, run.time_is_fresh) = (phase, Some((handle, after)), false);
        Step::Deliver(Event { handle, token: self.token(handle), what })
    }

    /// Does what is due after the callback that was running, if any.
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
            self.free_place(handle);
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
        self.state_mut(id).run.as_mut().expect("a phase belongs to a run")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_loop_without_handles_ends_at_once() {
        let mut world = World::new();
        world.time = 5;
        for mode in [RunMode::Default, RunMode::Once, RunMode::NoWait] {
            assert!(!world.run(mode));
        }
        assert!(world.polls.is_empty());
        assert_eq!(world.loops.now(world.main), Ok(5), "the time is refreshed");
    }

    #[test]
    fn the_phases_of_an_iteration_come_in_libuvs_order() {
        let mut world = World::new();
        let main = world.main;
        let (timer, closing, wake_up) = (world.timer(), world.timer(), world.async_handle());
        let check = world.loops.make_check(main, 0).unwrap();
        let prepare = world.loops.make_prepare(main, 0).unwrap();
        let idle = world.started_idle();
        world.loops.timer_start(timer, 0, 0).unwrap();
        world.loops.watcher_start(check).unwrap();
        world.loops.watcher_start(prepare).unwrap();
        world.loops.async_send(wake_up).unwrap();
        world.loops.close(closing);
        world.run(RunMode::NoWait);
        assert_eq!(
            world.trace(),
            [call(idle), call(prepare), call(wake_up), call(check), close(closing), call(timer)]
        );
    }

    #[test]
    fn only_mode_default_calls_due_timers_before_the_first_iteration() {
        for (mode, timer_first) in
            [(RunMode::Default, true), (RunMode::Once, false), (RunMode::NoWait, false)]
        {
            let mut world = World::new();
            let timer = world.timer();
            let idle = world.started_idle();
            world.loops.timer_start(timer, 0, 0).unwrap();
            world.on(call(idle), move |world| world.loops.watcher_stop(idle));
            world.run(mode);
            let expected = if timer_first { [call(timer), call(idle)] } else { [call(idle), call(timer)] };
            assert_eq!(world.trace(), expected, "{mode:?}");
        }
    }

    #[test]
    fn one_whole_iteration_follows_the_initial_timers_even_if_nothing_is_left_alive() {
        let mut world = World::new();
        let timer = world.timer();
        let idle = world.started_idle();
        world.loops.dereference(idle).unwrap();
        world.loops.timer_start(timer, 0, 0).unwrap();
        assert!(!world.run(RunMode::Default));
        assert_eq!(world.trace(), [call(timer), call(idle)]);
    }

    #[test]
    fn mode_once_waits_for_a_timer_and_calls_it_in_the_same_run() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_start(timer, 40, 0).unwrap();
        assert!(!world.run(RunMode::Once));
        assert_eq!(world.trace(), [call(timer)]);
        assert_eq!(world.polls, [Some(40)]);
    }

    #[test]
    fn mode_once_does_not_wait_if_an_idle_handle_was_active_when_the_iteration_began() {
        let mut world = World::new();
        let timer = world.timer();
        let idle = world.started_idle();
        world.loops.timer_start(timer, 40, 0).unwrap();
        world.on(call(idle), move |world| world.loops.watcher_stop(idle));
        assert!(world.run(RunMode::Once));
        assert_eq!(world.polls, [Some(0)]);
    }

    #[test]
    fn mode_nowait_does_not_wait() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_start(timer, 40, 0).unwrap();
        assert!(world.run(RunMode::NoWait));
        assert_eq!(world.polls, [Some(0)]);
    }

    #[test]
    fn the_poll_waits_for_the_next_timer_in_whole_milliseconds() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_start(timer, 7, 0).unwrap();
        world.loops.update_time(world.main, 3).unwrap();
        assert_eq!(world.loops.poll_timeout(world.main), Ok(Some(4)));
        world.loops.update_time(world.main, 30).unwrap();
        assert_eq!(world.loops.poll_timeout(world.main), Ok(Some(0)));
    }

    #[test]
    fn without_a_timer_the_poll_waits_without_limit() {
        let mut world = World::new();
        world.async_handle();
        assert_eq!(world.loops.poll_timeout(world.main), Ok(None));
        world.loops.stop(world.main);
        assert_eq!(world.loops.poll_timeout(world.main), Ok(Some(0)));
    }

    #[test]
    fn an_unreferenced_timer_does_not_make_the_poll_wait() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_start(timer, 7, 0).unwrap();
        world.loops.dereference(timer).unwrap();
        assert_eq!(world.loops.poll_timeout(world.main), Ok(Some(0)));
    }

    #[test]
    fn stop_ends_the_run_after_the_iteration() {
        let mut world = World::new();
        let main = world.main;
        let idle = world.started_idle();
        let check = world.loops.make_check(main, 0).unwrap();
        world.loops.watcher_start(check).unwrap();
        world.on(call(idle), move |world| world.loops.stop(main));
        assert!(world.run(RunMode::Default));
        assert_eq!(world.trace(), [call(idle), call(check)]);
        assert_eq!(world.polls, [Some(0)], "stopped before the poll, it does not block");
    }

    #[test]
    fn stop_before_a_run_makes_it_return_without_an_iteration() {
        for mode in [RunMode::Default, RunMode::Once, RunMode::NoWait] {
            let mut world = World::new();
            let timer = world.timer();
            world.loops.timer_start(timer, 0, 0).unwrap();
            world.loops.stop(world.main);
            assert!(world.run(mode), "still alive");
            assert!(world.trace().is_empty());
            world.run(mode);
            assert_eq!(world.trace(), [call(timer)], "the flag is cleared");
        }
    }

    #[test]
    fn run_inside_a_callback_is_refused_but_not_of_another_loop() {
        let mut world = World::new();
        let (main, other) = (world.main, world.loops.make_loop(0).unwrap());
        let timer = world.timer();
        let inner = world.loops.make_timer(other, 0).unwrap();
        world.loops.timer_start(timer, 0, 0).unwrap();
        world.loops.timer_start(inner, 0, 0).unwrap();
        world.on(call(timer), move |world| {
            assert_eq!(world.loops.begin(main, RunMode::NoWait), Err(Error::Busy));
            world.main = other;
            assert!(!world.run(RunMode::Default));
            world.main = main;
        });
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [call(timer), call(inner)]);
    }

    #[test]
    fn the_time_stands_still_between_its_refreshes() {
        let mut world = World::new();
        let idle = world.started_idle();
        let check = world.loops.make_check(world.main, 0).unwrap();
        world.loops.watcher_start(check).unwrap();
        world.on(call(idle), |world| {
            world.time += 10;
            assert_eq!(world.loops.now(world.main), Ok(0));
        });
        world.on(call(check), |world| assert_eq!(world.loops.now(world.main), Ok(10)));
        world.run(RunMode::NoWait);
        assert_eq!(world.trace(), [call(idle), call(check)]);
    }

    #[test]
    fn a_step_without_a_run_is_refused() {
        let mut world = World::new();
        let main = world.main;
        assert_eq!(world.loops.step(main, &mut || 0), Err(Error::Invalid));
        world.loops.polled(main, 5);
        assert_eq!(world.loops.now(main), Ok(0));
    }

    #[test]
    fn a_run_that_is_given_up_can_be_followed_by_another() {
        let mut world = World::new();
        let main = world.main;
        let timer = world.timer();
        world.loops.timer_start(timer, 7, 0).unwrap();
        world.loops.give_up(main);
        world.loops.begin(main, RunMode::Default).unwrap();
        world.loops.give_up(main);
        assert_eq!(world.loops.begin(main, RunMode::Default), Err(Error::Busy), "it is not waiting");
        assert_eq!(world.loops.step(main, &mut || 0), Ok(Step::Poll { timeout: Some(7) }));
        world.loops.give_up(main);
        assert_eq!(world.loops.step(main, &mut || 0), Err(Error::Invalid));
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [call(timer)]);
    }

    #[test]
    fn a_loop_released_in_its_callback_ends_its_run() {
        let mut world = World::new();
        let main = world.main;
        let (timer, released) = (world.timer(), world.timer());
        world.loops.timer_start(timer, 0, 0).unwrap();
        world.loops.begin(main, RunMode::Once).unwrap();
        assert_eq!(world.loops.step(main, &mut || 0), Ok(Step::Poll { timeout: Some(0) }));
        world.loops.polled(main, 0);
        assert!(matches!(world.loops.step(main, &mut || 0), Ok(Step::Deliver(_))));
        world.loops.release(timer);
        world.loops.release_loop(main);
        assert_eq!(world.loops.step(main, &mut || 0), Err(Error::LoopClosed));
        world.loops.release(released);
        assert!(world.loops.loops.is_empty() && world.loops.handles.is_empty());
    }
}
