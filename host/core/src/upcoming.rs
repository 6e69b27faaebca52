//! Upcoming callbacks of a run, and several steps at once.
//!
//! Drivers that hand over several callbacks in one call use this.

use crate::close::Stage;
use crate::handle::{Handle, Kind};
use crate::links::Anchor;
use crate::run::Phase;
use crate::watcher::WatcherKind;
use crate::{Event, HandleId, LoopId, Loops, Occurrence, Step};

/// The iterator of [`Loops::upcoming`].
#[derive(Debug)]
pub struct Upcoming<'a> {
    loops: &'a Loops,
    /// The list in progress, and the node visited last.
    at: Option<(Anchor, u32)>,
    following: Option<Anchor>,
}

impl Loops {
    /// Returns the callbacks due after the running one.
    ///
    /// The next steps deliver these callbacks, without a look at the clock or at descriptors,
    /// unless a call in between changes that. They are the rest of the phase, and after the idle
    /// phase also the prepare phase. There are none in the phases of async and signal handles,
    /// where the outside can add more. The iterator ends before a poll handle's error.
    #[inline]
    pub fn upcoming(&self, id: LoopId) -> Upcoming<'_> {
        let (list, following) = self.upcoming_lists(id);
        Upcoming { loops: self, at: list.map(|list| (list, list.node())), following }
    }

    #[inline]
    fn upcoming_lists(&self, id: LoopId) -> (Option<Anchor>, Option<Anchor>) {
        let state = self.state(id);
        let Some(run) = &state.run else { return (None, None) };
        let list = match run.phase {
            Phase::InitialTimers | Phase::Timers => state.timers.due(),
            Phase::Idle => {
                let prepares = state.watchers.active(WatcherKind::Prepare);
                return (Some(state.watchers.due(WatcherKind::Idle)), Some(prepares));
            }
            Phase::Prepare => state.watchers.due(WatcherKind::Prepare),
            Phase::Ready => state.polls.ready(),
            Phase::Check => state.watchers.due(WatcherKind::Check),
            Phase::Closing => state.closing_now,
            Phase::Begin | Phase::Test | Phase::Poll | Phase::Async | Phase::Signals => return (None, None),
        };
        (Some(list), None)
    }

    /// Performs the next steps at once, as long as they deliver the callbacks of the `expected`
    /// handles.
    ///
    /// The result is the same as if each callback had run and made no call. The last callback
    /// counts as running. Stops before the first handle that is not [upcoming](Loops::upcoming).
    /// Returns the number of steps.
    pub fn pass(&mut self, id: LoopId, expected: &[HandleId]) -> usize {
        match self.state(id).run.as_ref().map(|run| run.phase) {
            Some(phase @ (Phase::InitialTimers | Phase::Timers)) => {
                let due = self.state(id).timers.due();
                self.pass_list(id, phase, due, expected, |loops, timer, _| loops.before_timer_call(id, timer))
            }
            Some(phase @ Phase::Closing) => {
                let closing = self.state(id).closing_now;
                self.pass_list(id, phase, closing, expected, Loops::leave_loop)
            }
            Some(Phase::Idle) => self.pass_watchers(id, WatcherKind::Idle, expected),
            Some(Phase::Prepare) => self.pass_watchers(id, WatcherKind::Prepare, expected),
            Some(Phase::Check) => self.pass_watchers(id, WatcherKind::Check, expected),
            Some(_) => expected.iter().take_while(|handle| self.pass_one(id, **handle)).count(),
            None => 0,
        }
    }

    fn pass_one(&mut self, id: LoopId, expected: HandleId) -> bool {
        self.upcoming(id).next().map(|event| event.handle) == Some(expected)
            // The clock is not read: the step stays in this phase.
            && matches!(self.step(id, &mut || 0), Ok(Step::Deliver(_)))
    }

    /// As [`Loops::pass`], in a phase of idle, prepare or check handles. The prepare phase may follow
    /// the idle phase.
    fn pass_watchers(&mut self, id: LoopId, mut kind: WatcherKind, expected: &[HandleId]) -> usize {
        let mut count = 0;
        for handle in expected {
            let lists = &self.state(id).watchers;
            let (mut due, prepares) = (lists.due(kind), lists.active(WatcherKind::Prepare));
            if kind == WatcherKind::Idle && self.links.is_empty(due) {
                due = prepares;
            }
            if self.links.first(due) != Some(handle.index()) {
                break;
            }
            if due == prepares {
                kind = WatcherKind::Prepare;
                self.take_watchers(id, kind);
            }
            self.next_watcher(id, kind);
            count += 1;
        }
        if let Some(&last) = expected[..count].last() {
            self.after_callback(id);
            let phase = match kind {
                WatcherKind::Idle => Phase::Idle,
                WatcherKind::Prepare => Phase::Prepare,
                WatcherKind::Check => Phase::Check,
            };
            self.call(id, phase, last, Occurrence::Callback);
        }
        count
    }

    /// As [`Loops::pass`], in a phase that calls the handles of one list.
    ///
    /// `take` does what the phase does to each handle that it takes. The stage, for the closing
    /// phase, is `Called` for the last handle and `Closed` for those before it.
    #[inline]
    fn pass_list(
        &mut self,
        id: LoopId,
        phase: Phase,
        list: Anchor,
        expected: &[HandleId],
        take: impl Fn(&mut Loops, HandleId, Stage),
    ) -> usize {
        let count = self.links.pop_these(list, expected.iter().map(|handle| handle.index()));
        if let Some((&last, before)) = expected[..count].split_last() {
            self.after_callback(id);
            before.iter().for_each(|&handle| take(self, handle, Stage::Closed));
            take(self, last, Stage::Called);
            let what = if phase == Phase::Closing { Occurrence::Closed } else { Occurrence::Callback };
            self.call(id, phase, last, what);
        }
        count
    }

    /// Returns whether the event of the last step is still due: its handle has been neither closed
    /// nor released since. For a driver that has not called it yet.
    pub fn still_delivers(&self, event: &Event) -> bool {
        let handle = self.handle(event.handle);
        !handle.dropped && (event.what == Occurrence::Closed || handle.stage == Stage::Open)
    }
}

impl Iterator for Upcoming<'_> {
    type Item = Event;

    #[inline(always)]
    fn next(&mut self) -> Option<Event> {
        let (mut list, mut passed) = self.at?;
        let slot = loop {
            match self.loops.links.after(list, passed) {
                Some(slot) => break slot,
                None => {
                    self.at = None;
                    list = self.following.take()?;
                    passed = list.node();
                }
            }
        };
        let handle = HandleId::from_index(slot);
        let Handle { token, stage, kind, .. } = self.loops.handle(handle);
        let what = match kind {
            _ if *stage != Stage::Open => Occurrence::Closed,
            Kind::Poll { state, .. } => match state.outcome() {
                Ok(events) => Occurrence::Poll(Ok(events)),
                Err(_) => {
                    self.at = None;
                    self.following = None;
                    return None;
                }
            },
            _ => Occurrence::Callback,
        };
        self.at = Some((list, slot));
        Some(Event { handle, token: *token, what })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::*;
    use crate::{Occurrence, RunMode, Step};

    /// Makes a world with something due in each phase. The first repeating timer becomes due again
    /// while others are called.
    fn world() -> World {
        let mut world = World::new();
        let main = world.main;
        for at in 0..5 {
            let (timer, closing) = (world.timer(), world.timer());
            world.loops.timer_start(timer, 0, at).unwrap();
            world.loops.close(closing);
            world.started_idle();
            let prepare = world.loops.make_prepare(main, 0).unwrap();
            let check = world.loops.make_check(main, 0).unwrap();
            let poll = world.loops.make_poll(main, 0, crate::SourceId(at)).unwrap();
            world.loops.watcher_start(prepare).unwrap();
            world.loops.watcher_start(check).unwrap();
            world.loops.poll_start(poll, crate::PollEvents::all()).unwrap();
            // Two descriptors report an error.
            world
                .loops
                .poll_ready(poll, crate::Readiness::from_bits_truncate(if at % 3 == 1 { 32 } else { 5 }));
        }
        world
    }

    #[test]
    fn the_next_steps_deliver_the_upcoming_callbacks() {
        let mut world = world();
        let main = world.main;
        let (mut upcoming, mut unexpected) = (Vec::new(), 0);
        world.loops.begin(main, RunMode::Once).unwrap();
        assert_eq!(world.loops.upcoming(main).count(), 0);
        loop {
            match world.loops.step(main, &mut || 1).unwrap() {
                Step::Finished { .. } => break,
                Step::Poll { .. } => world.loops.polled(main, 1),
                Step::Deliver(event) => {
                    match upcoming.first() {
                        Some(&first) => assert_eq!(event, first),
                        None => unexpected += 1,
                    }
                    upcoming = world.loops.upcoming(main).collect();
                }
            }
        }
        // The first callback of each of the six phases except the prepare phase, and two errors,
        // the first of which ends the lookahead.
        assert_eq!((upcoming.len(), unexpected), (0, 7));
    }

    /// The observable state of a world between two callbacks.
    fn seen(world: &World) -> impl PartialEq + std::fmt::Debug {
        let (main, loops) = (world.main, &world.loops);
        let handles = (0..30).map(crate::HandleId::from_index).map(|handle| {
            let ends = (loops.handle_closing(handle), loops.handle_closed(handle));
            (ends, loops.active(handle), loops.referenced(handle), loops.timer_due_in(handle))
        });
        let upcoming: Vec<_> = loops.upcoming(main).collect();
        (handles.collect::<Vec<_>>(), upcoming, loops.called_deadline(main), loops.alive(main))
    }

    #[test]
    fn passing_equals_the_same_number_of_steps() {
        // The number of handles passed at once, and whether one that is not upcoming follows them.
        for (count, with_another) in [(1, false), (2, false), (3, true), (30, false), (30, true)] {
            let [mut stepped, mut passed] = [(); 2].map(|()| world());
            let main = stepped.main;
            let another = crate::HandleId::from_index(1_000);
            for world in [&mut stepped, &mut passed] {
                world.loops.begin(main, RunMode::Once).unwrap();
            }
            assert_eq!(passed.loops.pass(main, &[another]), 0);
            let mut longest = 0;
            loop {
                let [one, other] =
                    [&mut stepped, &mut passed].map(|world| world.loops.step(main, &mut || 1).unwrap());
                assert_eq!(one, other);
                match one {
                    Step::Finished { .. } => break,
                    Step::Poll { .. } => {
                        stepped.loops.polled(main, 1);
                        passed.loops.polled(main, 1);
                    }
                    Step::Deliver(_) => {
                        let mut expected: Vec<_> =
                            passed.loops.upcoming(main).take(count).map(|event| event.handle).collect();
                        let length = expected.len();
                        expected.extend(with_another.then_some(another));
                        assert_eq!(passed.loops.pass(main, &expected), length);
                        for _ in 0..length {
                            assert!(matches!(stepped.loops.step(main, &mut || 1), Ok(Step::Deliver(_))));
                        }
                        longest = longest.max(length);
                        assert_eq!(seen(&stepped), seen(&passed));
                    }
                }
            }
            assert_eq!(longest, count.min(9), "idle and prepare handles are upcoming together");
            assert_eq!(stepped.loops.pass(main, &[another]), 0, "no run is in progress");
        }
    }

    #[test]
    fn a_delivered_event_is_withdrawn_by_close_and_release() {
        let mut world = World::new();
        let main = world.main;
        let [first, second] = [(); 2].map(|()| world.started_idle());
        let next = |world: &mut World| loop {
            match world.loops.step(main, &mut || 0).unwrap() {
                Step::Deliver(event) => return event,
                Step::Poll { .. } => world.loops.polled(main, 0),
                Step::Finished { .. } => unreachable!("an idle handle is active"),
            }
        };
        world.loops.begin(main, RunMode::Default).unwrap();
        let event = next(&mut world);
        assert!(event.handle == second && world.loops.still_delivers(&event));
        world.loops.close(second);
        assert!(!world.loops.still_delivers(&event));
        let event = next(&mut world);
        assert!(event.handle == first && world.loops.still_delivers(&event));
        let event = next(&mut world);
        assert!(event.what == Occurrence::Closed && world.loops.still_delivers(&event));
        world.loops.release(second);
        assert!(!world.loops.still_delivers(&event));
        assert_eq!(next(&mut world).handle, first);
    }
}
