//! Timers, as libuv's timer.c: starting, repeating and calling them.
//!
//! The [queue](crate::timer_queue) orders them by deadline.

use crate::handle::Kind;
use crate::links::{Anchor, Links};
use crate::timer_queue::TimerQueue;
use crate::{Error, HandleId, LoopId, Loops};

/// The timers of a loop.
#[derive(Debug)]
pub(crate) struct Timers {
    queue: TimerQueue,
    /// Timers that a timers phase has taken and not called yet. They are not active.
    due: Anchor,
    /// The deadline of the timer that was called last.
    called: u64,
}

impl Timers {
    pub(crate) fn new(now: u64, due: Anchor, few: Anchor) -> Timers {
        Timers { queue: TimerQueue::new(now, few), due, called: 0 }
    }

    /// Returns the first of the lists that the loop was made with.
    pub(crate) fn lists(&self) -> Anchor {
        self.due
    }

    /// Returns the list of timers that a timers phase has taken and not called yet.
    pub(crate) fn due(&self) -> Anchor {
        self.due
    }

    /// Returns whether timers may be due at this time.
    #[inline]
    pub(crate) fn may_be_due(&self, links: &Links, now: u64) -> bool {
        self.queue.may_be_due(links, now)
    }

    /// Returns the first timer, if that needs no search.
    pub(crate) fn first(&self, links: &Links) -> Option<u32> {
        self.queue.first(links)
    }

    /// Returns the deadline of the timer that was called last.
    pub(crate) fn called(&self) -> u64 {
        self.called
    }

    /// Returns the deadline of the first timer.
    pub(crate) fn earliest(&mut self, links: &Links) -> Option<u64> {
        self.queue.earliest(links)
    }

    pub(crate) fn free(&mut self, links: &mut Links) {
        self.queue.free(links);
    }
}

impl Loops {
    /// Makes a timer (uv_timer_init).
    pub fn make_timer(&mut self, owner: LoopId, token: u64) -> Result<HandleId, Error> {
        let kind = Kind::Timer { repeat: 0, ever_started: false, pool: None };
        self.make(owner, token, kind)
    }

    /// Starts the timer (uv_timer_start). It is due `timeout` ms after the loop's cached time, and
    /// then every `repeat` ms unless that is 0.
    pub fn timer_start(&mut self, id: HandleId, timeout: u64, repeat: u64) -> Result<(), Error> {
        self.check_open(id)?;
        self.timer_stop(id);
        self.start_stopped_timer(id, timeout, repeat);
        Ok(())
    }

    /// As [`Loops::timer_start`], for an open timer that is in no list and so not active.
    pub(crate) fn start_stopped_timer(&mut self, id: HandleId, timeout: u64, repeat: u64) {
        let handle = &mut self.handles[id.index() as usize];
        if let Kind::Timer { repeat: of_timer, ever_started, .. } = &mut handle.kind {
            (*of_timer, *ever_started) = (repeat, true);
        }
        debug_assert!(!handle.active);
        handle.active = true;
        let state = &mut self.loops[handle.owner.at()];
        state.active_referenced += usize::from(handle.referenced);
        let deadline = state.now.saturating_add(timeout);
        self.links.set_deadline(id.index(), deadline);
        state.timers.queue.insert(&mut self.links, id.index());
    }

    /// Stops the timer (uv_timer_stop). That includes a timer that waits to be called in this
    /// timers phase.
    pub fn timer_stop(&mut self, id: HandleId) {
        let handle = self.handle(id);
        if handle.active {
            let owner = handle.owner.at();
            self.loops[owner].timers.queue.remove(&mut self.links, id.index());
            self.mark_active(id, false);
        } else if handle.stage == crate::close::Stage::Open {
            self.links.unlink(id.index());
        }
    }

    /// Restarts a repeating timer with its repeat as the timeout (uv_timer_again).
    pub fn timer_again(&mut self, id: HandleId) -> Result<(), Error> {
        self.check_open(id)?;
        match self.handle(id).kind {
            Kind::Timer { repeat, ever_started: true, .. } if repeat > 0 => {
                self.timer_start(id, repeat, repeat)
            }
            Kind::Timer { ever_started: true, .. } => Ok(()),
            _ => Err(Error::Invalid),
        }
    }

    /// Returns the repeat in milliseconds (uv_timer_get_repeat).
    pub fn timer_repeat(&self, id: HandleId) -> Result<u64, Error> {
        self.check_open(id)?;
        match self.handle(id).kind {
            Kind::Timer { repeat, .. } => Ok(repeat),
            _ => Err(Error::Invalid),
        }
    }

    /// Sets the repeat in milliseconds (uv_timer_set_repeat). The deadline does not change.
    pub fn timer_set_repeat(&mut self, id: HandleId, value: u64) -> Result<(), Error> {
        self.check_open(id)?;
        match &mut self.handle_mut(id).kind {
            Kind::Timer { repeat, .. } => *repeat = value,
            _ => return Err(Error::Invalid),
        }
        Ok(())
    }

    /// Returns the milliseconds until the deadline, 0 if it has passed (uv_timer_get_due_in).
    pub fn timer_due_in(&self, id: HandleId) -> Result<u64, Error> {
        self.check_open(id)?;
        let now = self.state(self.handle(id).owner).now;
        Ok(self.links.deadline(id.index()).saturating_sub(now))
    }

    /// Returns the deadline of the timer whose callback is running in this loop. `None` if no
    /// timer's callback is running.
    ///
    /// A repeating timer itself already has its next deadline by then.
    pub fn called_deadline(&self, id: LoopId) -> Option<u64> {
        let is_timer = matches!(self.handle(self.running(id)?).kind, Kind::Timer { .. });
        is_timer.then(|| self.state(id).timers.called)
    }

    /// Returns the milliseconds until the next timer is due, at most the maximum of libuv's `int`.
    /// `None` without a timer (uv__next_timeout).
    pub(crate) fn next_timeout(&mut self, id: LoopId) -> Option<u32> {
        let state = &mut self.loops[id.at()];
        let earliest = state.timers.queue.earliest(&self.links)?;
        let timeout = earliest.saturating_sub(state.now).min(i32::MAX as u64);
        Some(timeout as u32)
    }

    /// Takes all due timers before the first of them is called (uv__run_timers).
    pub(crate) fn take_due_timers(&mut self, id: LoopId) {
        let state = &mut self.loops[id.at()];
        let due = state.timers.due;
        state.timers.queue.take_due(&mut self.links, state.now, due);
        let mut at = self.links.iter(due);
        let handles = &mut self.handles;
        let count = &mut self.loops[id.at()].active_referenced;
        for timer in &mut at {
            let handle = &mut handles[timer as usize];
            handle.active = false;
            *count -= usize::from(handle.referenced);
        }
    }

    /// Makes timers that were taken and not called due again.
    pub(crate) fn put_back_timers(&mut self, id: LoopId) {
        let due = self.state(id).timers.due;
        while let Some(timer) = self.links.pop_front(due) {
            // The queue accepts no deadline before the last one that it has returned.
            self.links.set_deadline(timer, self.state(id).now);
            self.mark_active(HandleId::from_index(timer), true);
            self.loops[id.at()].timers.queue.insert(&mut self.links, timer);
        }
    }

    /// Returns the next timer that was taken. A repeating timer is restarted just before it is
    /// called.
    pub(crate) fn next_due_timer(&mut self, id: LoopId) -> Option<HandleId> {
        let due = self.state(id).timers.due;
        let timer = HandleId::from_index(self.links.pop_front(due)?);
        self.before_timer_call(id, timer);
        Some(timer)
    }

    /// Prepares a due timer just before it is called.
    pub(crate) fn before_timer_call(&mut self, id: LoopId, timer: HandleId) {
        self.state_mut(id).timers.called = self.links.deadline(timer.index());
        if let Kind::Timer { repeat, .. } = self.handle(timer).kind
            && repeat > 0
        {
            self.start_stopped_timer(timer, repeat, repeat);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::*;
    use crate::{Error, RunMode, Step};

    #[test]
    fn timers_fire_in_order_of_deadline_and_then_of_start() {
        let mut world = World::new();
        let (a, b, c) = (world.timer(), world.timer(), world.timer());
        world.loops.timer_start(c, 20, 0).unwrap();
        world.loops.timer_start(b, 10, 0).unwrap();
        world.loops.timer_start(a, 20, 0).unwrap();
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [call(b), call(c), call(a)]);
        assert_eq!(world.time, 20);
    }

    #[test]
    fn starting_a_started_timer_replaces_its_deadline() {
        let mut world = World::new();
        let (a, b) = (world.timer(), world.timer());
        world.loops.timer_start(a, 10, 0).unwrap();
        world.loops.timer_start(b, 20, 0).unwrap();
        world.loops.timer_start(a, 30, 0).unwrap();
        assert_eq!(world.loops.timer_due_in(a), Ok(30));
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [call(b), call(a)]);
    }

    #[test]
    fn a_timeout_of_0_is_due_in_the_next_timers_phase() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_start(timer, 0, 0).unwrap();
        world.run(RunMode::NoWait);
        assert_eq!(world.trace(), [call(timer)]);
    }

    #[test]
    fn a_timer_started_in_a_timer_callback_is_not_called_in_the_same_phase() {
        let mut world = World::new();
        let (a, b) = (world.timer(), world.timer());
        world.loops.timer_start(a, 0, 0).unwrap();
        world.on(call(a), move |world| world.loops.timer_start(b, 0, 0).unwrap());
        world.run(RunMode::NoWait);
        assert_eq!(world.trace(), [call(a)]);
        world.run(RunMode::NoWait);
        assert_eq!(world.trace(), [call(b)]);
    }

    #[test]
    fn a_due_timer_that_was_not_called_yet_is_inactive_and_can_be_stopped() {
        let mut world = World::new();
        let timers: Vec<_> = (0..5).map(|_| world.timer()).collect();
        let [first, stopped, restarted, closed, last] = timers[..] else { unreachable!() };
        for &timer in &timers {
            world.loops.timer_start(timer, 5, 0).unwrap();
        }
        world.on(call(first), move |world| {
            assert!(!world.loops.active(last) && !world.loops.active(first));
            world.loops.timer_stop(stopped);
            world.loops.timer_start(restarted, 0, 0).unwrap();
            world.loops.close(closed);
        });
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [call(first), call(last)]);
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [call(restarted), close(closed)]);
    }

    #[test]
    fn a_repeating_timer_is_restarted_just_before_its_callback() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_start(timer, 5, 7).unwrap();
        world.on(call(timer), move |world| {
            assert!(world.loops.active(timer));
            assert_eq!(world.loops.timer_due_in(timer), Ok(7));
            world.loops.timer_stop(timer);
        });
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [call(timer)]);
    }

    #[test]
    fn a_repeating_timer_does_not_catch_up() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_start(timer, 10, 10).unwrap();
        world.time = 95;
        world.run(RunMode::NoWait);
        assert_eq!(world.trace(), [call(timer)]);
        assert_eq!(world.loops.timer_due_in(timer), Ok(10));
    }

    #[test]
    fn again_needs_a_timer_that_was_started() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_set_repeat(timer, 5).unwrap();
        assert_eq!(world.loops.timer_again(timer), Err(Error::Invalid));
    }

    #[test]
    fn again_restarts_with_the_repeat() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_start(timer, 100, 30).unwrap();
        world.loops.timer_again(timer).unwrap();
        assert_eq!(world.loops.timer_due_in(timer), Ok(30));
    }

    #[test]
    fn again_without_a_repeat_has_no_effect_even_on_an_active_timer() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_start(timer, 100, 0).unwrap();
        world.loops.timer_again(timer).unwrap();
        assert!(world.loops.active(timer));
        assert_eq!(world.loops.timer_due_in(timer), Ok(100));
    }

    #[test]
    fn setting_the_repeat_does_not_move_the_deadline() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_start(timer, 100, 10).unwrap();
        world.loops.timer_set_repeat(timer, 20).unwrap();
        assert_eq!(world.loops.timer_due_in(timer), Ok(100));
        assert_eq!(world.loops.timer_repeat(timer), Ok(20));
        world.run(RunMode::Once);
        assert_eq!(world.loops.timer_due_in(timer), Ok(20));
    }

    #[test]
    fn a_repeat_set_in_the_callback_of_a_one_shot_timer_needs_again() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_start(timer, 5, 0).unwrap();
        world.on(call(timer), move |world| world.loops.timer_set_repeat(timer, 10).unwrap());
        world.run(RunMode::Once);
        assert!(!world.loops.active(timer));
        world.loops.timer_again(timer).unwrap();
        assert_eq!(world.loops.timer_due_in(timer), Ok(10));
    }

    #[test]
    fn a_deadline_saturates() {
        let mut world = World::new();
        world.loops.update_time(world.main, 1_000).unwrap();
        let timer = world.timer();
        world.loops.timer_start(timer, u64::MAX, 0).unwrap();
        assert_eq!(world.loops.timer_due_in(timer), Ok(u64::MAX - 1_000));
        assert_eq!(world.loops.poll_timeout(world.main), Ok(Some(i32::MAX as u32)));
    }

    #[test]
    fn due_in_of_a_stopped_timer_uses_its_last_deadline() {
        let mut world = World::new();
        let timer = world.timer();
        assert_eq!(world.loops.timer_due_in(timer), Ok(0));
        world.loops.timer_start(timer, 50, 0).unwrap();
        world.loops.timer_stop(timer);
        assert_eq!(world.loops.timer_due_in(timer), Ok(50));
    }

    #[test]
    fn calls_on_a_closing_timer_are_refused() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.close(timer);
        assert_eq!(world.loops.timer_start(timer, 0, 0), Err(Error::HandleClosed));
        assert_eq!(world.loops.timer_again(timer), Err(Error::HandleClosed));
        assert_eq!(world.loops.timer_repeat(timer), Err(Error::HandleClosed));
        assert_eq!(world.loops.timer_set_repeat(timer, 1), Err(Error::HandleClosed));
        assert_eq!(world.loops.timer_due_in(timer), Err(Error::HandleClosed));
        world.loops.timer_stop(timer);
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [close(timer)], "stop has no effect on a closing timer");
    }

    #[test]
    fn called_deadline_is_the_deadline_of_the_running_timer() {
        let mut world = World::new();
        let (once, repeating) = (world.timer(), world.timer());
        world.loops.timer_start(once, 10, 0).unwrap();
        world.loops.timer_start(repeating, 20, 5).unwrap();
        let id = world.main;
        assert_eq!(world.loops.called_deadline(id), None);
        world.loops.begin(id, RunMode::NoWait).unwrap();
        let mut deadlines = Vec::new();
        loop {
            match world.loops.step(id, &mut || 100).unwrap() {
                Step::Deliver(_) => deadlines.push(world.loops.called_deadline(id)),
                Step::Poll { .. } => {
                    assert_eq!(world.loops.called_deadline(id), None);
                    world.loops.polled(id, 100);
                }
                Step::Finished { .. } => break,
            }
        }
        assert_eq!(deadlines, [Some(10), Some(20)]);
        assert_eq!(world.loops.called_deadline(id), None);
        world.loops.close(once);
        world.loops.begin(id, RunMode::NoWait).unwrap();
        while let Step::Poll { .. } = world.loops.step(id, &mut || 100).unwrap() {
            world.loops.polled(id, 100);
        }
        assert_eq!(world.loops.called_deadline(id), None, "a close callback has no deadline");
    }
}
