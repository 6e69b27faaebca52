//! Poll handles, as libuv's poll.c.
//!
//! The driver watches the descriptors and reports readiness with [`Loops::poll_ready`]. This file
//! decides which callbacks follow.

use crate::handle::Kind;
use crate::links::Anchor;
use crate::{Error, HandleId, LoopId, Loops};
use bitflags::bitflags;
use std::collections::HashMap;

bitflags! {
    /// The events that a poll handle asks for and reports, with libuv's values.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct PollEvents: u8 {
        /// Data or the end of the stream can be read.
        const READABLE = 1;
        /// Data can be written.
        const WRITABLE = 2;
        /// The peer has shut down its side.
        const DISCONNECT = 4;
        /// Priority data can be read.
        const PRIORITIZED = 8;
    }

    /// The readiness of a descriptor as the OS reports it. A guest cannot ask for the last two.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct Readiness: u8 {
        /// POLLIN.
        const READABLE = 1;
        /// POLLOUT.
        const WRITABLE = 2;
        /// POLLRDHUP.
        const DISCONNECT = 4;
        /// POLLPRI.
        const PRIORITIZED = 8;
        /// POLLHUP.
        const HANGUP = 16;
        /// POLLERR.
        const ERROR = 32;
    }
}

/// The number of one of the driver's descriptors, or of something else that can be ready. The driver
/// never reuses a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SourceId(pub u64);

#[derive(Debug)]
pub(crate) struct PollState {
    asked: PollEvents,
    /// The readiness reported in this poll and not delivered yet.
    collected: Readiness,
    /// Whether the descriptor is no longer open, which was not delivered yet.
    source_gone: bool,
}

impl PollState {
    fn clear_reports(&mut self) {
        (self.collected, self.source_gone) = (Readiness::empty(), false);
    }

    /// Returns the argument of the callback.
    pub(crate) fn outcome(&self) -> Result<PollEvents, Error> {
        let failed =
            self.collected.contains(Readiness::ERROR) && !self.collected.contains(Readiness::PRIORITIZED);
        if failed || self.source_gone {
            return Err(Error::BadDescriptor);
        }
        // After a hang-up or an error, a read or write returns the cause, so all requested events
        // are reported.
        Ok(match self.collected.intersects(Readiness::HANGUP | Readiness::ERROR) {
            true => self.asked,
            false => PollEvents::from_bits_truncate(self.collected.bits()),
        })
    }
}

/// The poll handles of a loop.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Polls {
    /// Handles with reported readiness, in the order of the reports.
    ready: Anchor,
    /// The active handle of each descriptor, as libuv's `loop->watchers`.
    watching: HashMap<SourceId, HandleId>,
}

impl Polls {
    pub(crate) fn new(ready: Anchor) -> Polls {
        Polls { watching: HashMap::new(), ready }
    }

    pub(crate) fn ready(&self) -> Anchor {
        self.ready
    }
}

impl Loops {
    /// Makes a poll handle (uv_poll_init).
    pub fn make_poll(&mut self, owner: LoopId, token: u64, source: SourceId) -> Result<HandleId, Error> {
        if self.open_state(owner)?.polls.watching.contains_key(&source) {
            return Err(Error::Exists);
        }
        let state =
            PollState { asked: PollEvents::empty(), collected: Readiness::empty(), source_gone: false };
        self.make(owner, token, Kind::Poll { source, state })
    }

    /// Watches for these events (uv_poll_start). An empty set stops the handle.
    pub fn poll_start(&mut self, id: HandleId, events: PollEvents) -> Result<(), Error> {
        self.check_open(id)?;
        let source = self.poll_source(id).ok_or(Error::Invalid)?;
        if self.active(id) && !events.is_empty() {
            // The handle is active: a restart keeps its entry for the descriptor.
            self.links.unlink(id.index());
            let state = self.poll_state_mut(id);
            state.asked = events;
            state.clear_reports();
            return Ok(());
        }
        let owner = self.loop_of(id);
        let other = self.state(owner).polls.watching.get(&source);
        if other.is_some_and(|&other| other != id) {
            return Err(Error::Exists);
        }
        self.poll_stop(id);
        if !events.is_empty() {
            self.poll_state_mut(id).asked = events;
            self.state_mut(owner).polls.watching.insert(source, id);
            self.mark_active(id, true);
        }
        Ok(())
    }

    /// Stops watching and drops undelivered readiness (uv_poll_stop).
    pub fn poll_stop(&mut self, id: HandleId) {
        if !self.handle(id).active {
            return;
        }
        self.links.unlink(id.index());
        let owner = self.loop_of(id);
        let state = self.poll_state_mut(id);
        state.clear_reports();
        state.asked = PollEvents::empty();
        if let Some(source) = self.poll_source(id) {
            self.state_mut(owner).polls.watching.remove(&source);
        }
        self.mark_active(id, false);
    }

    /// Returns the events that an active poll handle asks for, empty for a stopped one.
    pub fn poll_events(&self, id: HandleId) -> PollEvents {
        match &self.handle(id).kind {
            Kind::Poll { state, .. } => state.asked,
            _ => PollEvents::empty(),
        }
    }

    /// Returns the loop's active poll handles in order of their numbers, for a driver without
    /// registrations.
    pub fn active_polls(&self, id: LoopId) -> Vec<HandleId> {
        let mut handles: Vec<HandleId> = self.state(id).polls.watching.values().copied().collect();
        handles.sort_unstable_by_key(|handle| handle.index());
        handles
    }

    /// Returns the descriptor of a poll handle, `None` for other kinds.
    pub fn poll_source(&self, id: HandleId) -> Option<SourceId> {
        match self.handle(id).kind {
            Kind::Poll { source, .. } => Some(source),
            _ => None,
        }
    }

    /// Reports readiness for a poll handle, between [`Step::Poll`](crate::Step::Poll) and
    /// [`Loops::polled`].
    ///
    /// Returns whether this ends the poll. It does not if the handle is stopped or asked for none
    /// of it.
    pub fn poll_ready(&mut self, id: HandleId, readiness: Readiness) -> bool {
        let handle = &mut self.handles[id.index() as usize];
        let Kind::Poll { state, .. } = &mut handle.kind else {
            return false;
        };
        let wanted = Readiness::from_bits_truncate(state.asked.bits()) | Readiness::HANGUP | Readiness::ERROR;
        let readiness = readiness & wanted;
        if !handle.active || readiness.is_empty() {
            return false;
        }
        if state.collected.is_empty() {
            let ready = self.loops[handle.owner.at()].polls.ready;
            self.links.push_back(ready, id.index());
        }
        state.collected |= readiness;
        true
    }

    /// Returns whether readiness of a poll handle was reported and not delivered yet.
    pub fn has_reported(&self, id: HandleId) -> bool {
        match &self.handle(id).kind {
            Kind::Poll { state, .. } => !state.collected.is_empty(),
            _ => false,
        }
    }

    /// Reports that a descriptor is no longer open. In each loop, the handle active on it is
    /// stopped and called with an error. The call happens in the loop's next poll, or in the
    /// current one if that is being dispatched.
    pub fn poll_source_gone(&mut self, source: SourceId) {
        let watching: Vec<HandleId> =
            self.loops.iter().filter_map(|(_, state)| state.polls.watching.get(&source).copied()).collect();
        for handle in watching {
            self.poll_ready(handle, Readiness::ERROR);
            self.poll_state_mut(handle).source_gone = true;
        }
    }

    /// Returns the next handle with reported readiness and its callback's argument (uv__poll_io).
    pub(crate) fn next_ready(&mut self, id: LoopId) -> Option<(HandleId, Result<PollEvents, Error>)> {
        let handle = HandleId::from_index(self.links.pop_front(self.state(id).polls.ready)?);
        let state = self.poll_state_mut(handle);
        let outcome = state.outcome();
        state.clear_reports();
        if outcome.is_err() {
            self.poll_stop(handle);
        }
        Some((handle, outcome))
    }

    fn poll_state_mut(&mut self, id: HandleId) -> &mut PollState {
        match &mut self.handle_mut(id).kind {
            Kind::Poll { state, .. } => state,
            _ => unreachable!("the list holds only poll handles"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RunMode;
    use crate::testing::*;

    const READABLE: PollEvents = PollEvents::READABLE;

    fn started(world: &mut World, source: u64, events: PollEvents) -> HandleId {
        let poll = world.loops.make_poll(world.main, 0, SourceId(source)).unwrap();
        world.loops.poll_start(poll, events).unwrap();
        poll
    }

    fn report(world: &mut World, poll: HandleId, readiness: Readiness) {
        world.at_poll(move |world| world.loops.poll_ready(poll, readiness));
    }

    #[test]
    fn requested_events_are_reported() {
        let mut world = World::new();
        let poll = started(&mut world, 1, READABLE | PollEvents::WRITABLE);
        report(&mut world, poll, Readiness::READABLE | Readiness::PRIORITIZED);
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [ready(poll, READABLE)]);
        assert!(world.loops.active(poll));
    }

    #[test]
    fn unrequested_events_do_not_end_the_poll() {
        let mut world = World::new();
        let poll = started(&mut world, 1, PollEvents::DISCONNECT);
        assert!(!world.loops.poll_ready(poll, Readiness::READABLE));
        world.loops.poll_stop(poll);
        assert!(!world.loops.poll_ready(poll, Readiness::DISCONNECT));
    }

    #[test]
    fn a_hangup_reports_all_requested_events() {
        let mut world = World::new();
        let asked = PollEvents::WRITABLE | PollEvents::DISCONNECT;
        let poll = started(&mut world, 1, asked);
        report(&mut world, poll, Readiness::HANGUP | Readiness::READABLE);
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [ready(poll, asked)]);
    }

    #[test]
    fn an_error_stops_the_handle_and_is_reported_once() {
        let mut world = World::new();
        let poll = started(&mut world, 1, READABLE);
        report(&mut world, poll, Readiness::ERROR | Readiness::READABLE | Readiness::HANGUP);
        world.on(poll_error(poll), move |world| assert!(!world.loops.active(poll)));
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [poll_error(poll)]);
    }

    #[test]
    fn an_error_with_priority_data_is_no_error() {
        let mut world = World::new();
        let poll = started(&mut world, 1, PollEvents::PRIORITIZED | READABLE);
        report(&mut world, poll, Readiness::ERROR | Readiness::PRIORITIZED);
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [ready(poll, PollEvents::PRIORITIZED | READABLE)]);
    }

    #[test]
    fn a_second_active_handle_on_a_descriptor_is_refused() {
        let mut world = World::new();
        let first = started(&mut world, 1, READABLE);
        let main = world.main;
        assert_eq!(world.loops.make_poll(main, 0, SourceId(1)), Err(Error::Exists));
        world.loops.poll_stop(first);
        let second = world.loops.make_poll(main, 0, SourceId(1)).unwrap();
        world.loops.poll_start(second, READABLE).unwrap();
        assert_eq!(world.loops.poll_start(first, READABLE), Err(Error::Exists));
        assert_eq!(world.loops.poll_start(first, PollEvents::empty()), Err(Error::Exists));
        let other = world.loops.make_loop(0).unwrap();
        let elsewhere = world.loops.make_poll(other, 0, SourceId(1)).unwrap();
        assert_eq!(
            world.loops.poll_start(elsewhere, READABLE),
            Ok(()),
            "another loop may watch the same descriptor"
        );
    }

    #[test]
    fn active_polls_lists_the_active_handles_of_a_loop() {
        let mut world = World::new();
        let [first, second, third] = [1, 2, 3].map(|source| started(&mut world, source, READABLE));
        let other = world.loops.make_loop(0).unwrap();
        let elsewhere = world.loops.make_poll(other, 0, SourceId(1)).unwrap();
        world.loops.poll_start(elsewhere, READABLE).unwrap();
        world.loops.poll_stop(second);
        assert_eq!(world.loops.active_polls(world.main), [first, third]);
        world.loops.release(first);
        assert_eq!(world.loops.active_polls(world.main), [third]);
        assert_eq!(world.loops.active_polls(other), [elsewhere]);
    }

    #[test]
    fn starting_without_events_stops() {
        let mut world = World::new();
        let poll = started(&mut world, 1, READABLE);
        world.loops.poll_start(poll, PollEvents::empty()).unwrap();
        assert!(!world.loops.active(poll) && !world.alive());
    }

    #[test]
    fn an_event_collected_before_a_stop_close_or_start_is_dropped() {
        let mut world = World::new();
        let polls: Vec<_> = (0..5).map(|n| started(&mut world, n, READABLE)).collect();
        let [first, stopped, restarted, closed, last] = polls[..] else { unreachable!() };
        world.at_poll(move |world| {
            for poll in polls {
                world.loops.poll_ready(poll, Readiness::READABLE);
            }
            true
        });
        world.on(ready(first, READABLE), move |world| {
            world.loops.poll_stop(stopped);
            world.loops.poll_start(restarted, READABLE).unwrap();
            world.loops.close(closed);
        });
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [ready(first, READABLE), ready(last, READABLE), close(closed)]);
    }

    #[test]
    fn an_event_of_a_released_handle_does_not_reach_the_next_handle_in_its_slot() {
        let mut world = World::new();
        let (first, second) = (started(&mut world, 1, READABLE), started(&mut world, 2, READABLE));
        world.at_poll(move |world| {
            world.loops.poll_ready(first, Readiness::READABLE)
                | world.loops.poll_ready(second, Readiness::READABLE)
        });
        world.on(ready(first, READABLE), move |world| {
            world.loops.release(second);
            assert_eq!(started(world, 3, READABLE), second, "the slot is reused");
        });
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [ready(first, READABLE)]);
    }

    #[test]
    fn a_dropped_descriptor_stops_the_handle_with_an_error_in_the_next_poll() {
        let mut world = World::new();
        let poll = started(&mut world, 1, READABLE);
        world.loops.poll_source_gone(SourceId(1));
        assert!(world.loops.active(poll));
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [poll_error(poll)]);
        assert_eq!(world.polls, [Some(0)], "the poll does not block");
    }

    #[test]
    fn a_descriptor_dropped_after_priority_data_was_reported_stops_the_handle_with_an_error() {
        const BOTH: PollEvents = PollEvents::READABLE.union(PollEvents::PRIORITIZED);
        let mut world = World::new();
        let (first, second) = (started(&mut world, 1, READABLE), started(&mut world, 2, BOTH));
        world.at_poll(move |world| {
            world.loops.poll_ready(first, Readiness::READABLE)
                | world.loops.poll_ready(second, Readiness::PRIORITIZED)
        });
        world.on(ready(first, READABLE), move |world| {
            world.loops.poll_stop(first);
            world.loops.poll_source_gone(SourceId(2));
        });
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [ready(first, READABLE), poll_error(second)]);
        assert!(!world.loops.active(second));
    }

    #[test]
    fn starting_a_closing_poll_handle_is_refused() {
        let mut world = World::new();
        let poll = started(&mut world, 1, READABLE);
        world.loops.close(poll);
        assert_eq!(world.loops.poll_start(poll, READABLE), Err(Error::HandleClosed));
    }
}
