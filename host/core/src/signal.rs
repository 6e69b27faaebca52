//! Signal handles, as libuv's signal.c.
//!
//! The driver catches signals and reports each delivery to every loop with
//! [`Loops::signal_delivered`], at the latest before a handle of the loop starts or stops watching.

use crate::handle::Kind;
use crate::{Error, HandleId, LoopId, Loops};
use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

/// Signals that cannot be watched. SIGKILL and SIGSTOP cannot be caught. A WebAssembly runtime
/// handles SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE and SIGSEGV. The C library uses 32 and 33.
const FORBIDDEN: [i32; 10] = [9, 19, 4, 5, 6, 7, 8, 11, 32, 33];

/// The largest signal number of Linux.
const LAST: i32 = 64;

#[derive(Debug, Default)]
pub(crate) struct SignalState {
    /// The watched signal, 0 if the handle is stopped.
    signum: i32,
    /// The handle stops after its callback. The flag outlives a stop; only a lasting start clears
    /// it.
    oneshot: bool,
}

/// The place of an active handle in the order in which a delivery calls the handles: by signal,
/// lasting ones before one-shots, then by creation.
type Place = (i32, bool, u64);

/// The signal handles of a loop, and the deliveries to them.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct SignalQueue {
    /// The number of handles with deliveries that have found no room in `messages`.
    behind: usize,
    /// The number of deliveries read and not dispatched yet.
    read: u64,
    /// There were deliveries when the poll ended. They are read after the poll's other events.
    readable: bool,
    /// The last read was full, so there may be more to read.
    read_again: bool,
    /// The active handles.
    watching: BTreeMap<Place, Watching>,
    /// Deliveries to handles, as in libuv's signal pipe.
    messages: VecDeque<Message>,
}

/// An active handle.
#[derive(Debug)]
struct Watching {
    handle: HandleId,
    /// The number of deliveries that have found no room in the queue.
    more: u64,
}

#[derive(Debug, Clone, Copy)]
struct Message {
    handle: HandleId,
    made: u64,
    signum: i32,
    /// The number of deliveries in a row.
    count: u64,
}

impl SignalQueue {
    /// Makes deliveries that were read and not dispatched unread again.
    pub(crate) fn put_back(&mut self) {
        (self.readable, self.read, self.read_again) = (false, 0, false);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.behind == 0
    }

    fn insert(&mut self, place: Place, handle: HandleId) {
        self.watching.insert(place, Watching { handle, more: 0 });
    }

    fn remove(&mut self, place: Place) {
        if self.watching.remove(&place).is_some_and(|watching| watching.more > 0) {
            self.behind -= 1;
        }
    }

    /// Appends one delivery to each of the signal's handles. The cost depends on their number only,
    /// not on the number of handles that watch other signals.
    fn push(&mut self, signum: i32) {
        let called = self.watching.range(places(signum));
        self.messages.extend(called.map(|(&(_, _, made), watching)| Message {
            handle: watching.handle,
            made,
            signum,
            count: 1,
        }));
    }

    /// Counts deliveries for which there is no room.
    fn count_more(&mut self, signum: i32, count: u64) {
        for (_, watching) in self.watching.range_mut(places(signum)) {
            self.behind += usize::from(watching.more == 0);
            watching.more = watching.more.saturating_add(count);
        }
    }

    /// Appends deliveries to the queue, and counts those that find no room.
    fn deliver(&mut self, deliveries: &[(i32, u64)]) {
        if self.watching.is_empty() {
            return;
        }
        for (at, &(signum, count)) in deliveries.iter().enumerate() {
            let mut left = count;
            // Messages that come later stay behind earlier deliveries that found no room.
            let mut has_room = self.behind == 0 && self.messages.len() < WAITING;
            while has_room && left > 0 {
                let before = self.messages.len();
                self.push(signum);
                // Without a handle that watches the signal there is nothing to repeat.
                left = if self.messages.len() == before { 0 } else { left - 1 };
                has_room = self.messages.len() < WAITING;
            }
            if left > 0 {
                return self.count_all_more((signum, left), &deliveries[at + 1..]);
            }
        }
    }

    /// Counts this delivery and those behind it, for which there is no room. The handles of a signal are
    /// visited once, however often it was delivered.
    #[cold]
    fn count_all_more(&mut self, first: (i32, u64), rest: &[(i32, u64)]) {
        let mut counts = [0u64; LAST as usize + 1];
        for &(signum, count) in std::iter::once(&first).chain(rest) {
            if let Some(total) = counts.get_mut(signum as usize) {
                *total = total.saturating_add(count);
            }
        }
        for (signum, count) in (0..).zip(counts).filter(|&(_, count)| count > 0) {
            self.count_more(signum, count);
        }
    }

    /// Appends the deliveries that found no room: one message for each handle.
    #[cold]
    fn catch_up(&mut self) {
        for (&(signum, _, made), watching) in &mut self.watching {
            let count = std::mem::take(&mut watching.more);
            if count > 0 {
                self.messages.push_back(Message { handle: watching.handle, made, signum, count });
            }
        }
        self.behind = 0;
    }

    /// Takes one delivery from the front, or all of the front message's.
    fn take(&mut self, all: bool) -> Option<Message> {
        let front = self.messages.front_mut()?;
        let message = *front;
        if all || message.count == 1 {
            self.messages.pop_front();
        } else {
            front.count -= 1;
        }
        self.read = self.read.saturating_sub(if all { message.count } else { 1 });
        Some(message)
    }
}

/// The places of all handles that watch the signal.
fn places(signum: i32) -> RangeInclusive<Place> {
    (signum, false, 0)..=(signum, true, u64::MAX)
}

/// The number of deliveries that libuv reads from its pipe at once. After a full read it reads
/// again, and then also gets signals raised by the callbacks in between.
const READ: u64 = 32;

/// The number of messages that keep the order of deliveries, the same as in libuv's signal pipe.
/// Further deliveries are counted for each handle, without their order, and called in a later poll.
/// So a guest that never runs its loop cannot grow the host's memory, and no delivery is lost.
const WAITING: usize = 4_096;

/// The signals that the active handles of all loops watch.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Watched {
    /// The number of handles per signal. Empty until a signal is watched, because there may be many
    /// guests.
    handles: Vec<u32>,
    set: u64,
}

impl Watched {
    fn add(&mut self, signum: i32) {
        if self.handles.is_empty() {
            self.handles = vec![0; LAST as usize + 1];
        }
        self.handles[signum as usize] += 1;
        self.set |= 1 << (signum - 1);
    }

    fn remove(&mut self, signum: i32) {
        self.handles[signum as usize] -= 1;
        if self.handles[signum as usize] == 0 {
            self.set &= !(1 << (signum - 1));
        }
    }
}

impl Loops {
    /// Returns the signals that active handles of any loop watch. Bit 0 is signal 1. The driver
    /// compares the set with the signals that it has requested from the OS.
    pub fn watched_signals(&self) -> u64 {
        self.watched_signals.set
    }

    /// Returns whether a handle of the loop watches a signal.
    pub fn watches_signals(&self, id: LoopId) -> bool {
        !self.state(id).signals.watching.is_empty()
    }

    /// Returns all loops of the guest.
    pub fn all_loops(&self) -> impl Iterator<Item = LoopId> {
        self.loops.iter().map(|(at, _)| LoopId::from_index(at as u32))
    }

    /// Makes a signal handle (uv_signal_init).
    pub fn make_signal(&mut self, owner: LoopId, token: u64) -> Result<HandleId, Error> {
        self.make(owner, token, Kind::Signal(SignalState::default()))
    }

    /// Watches a signal, once or until stopped (uv_signal_start, uv_signal_start_oneshot).
    /// `granted` tells whether the guest may watch a valid signal.
    pub fn signal_start(
        &mut self,
        id: HandleId,
        signum: i32,
        oneshot: bool,
        granted: impl FnOnce(i32) -> bool,
    ) -> Result<(), Error> {
        self.check_open(id)?;
        if signum == 0 {
            return Err(Error::Invalid);
        }
        let state = self.signal_state_mut(id)?;
        if signum == state.signum {
            if state.oneshot && !oneshot {
                state.oneshot = false;
                self.make_lasting(id, signum);
            }
            return Ok(());
        }
        self.signal_stop(id);
        if !(1..=LAST).contains(&signum) || FORBIDDEN.contains(&signum) {
            return Err(Error::Invalid);
        }
        if !granted(signum) {
            return Err(Error::AccessDenied);
        }
        *self.signal_state_mut(id)? = SignalState { signum, oneshot };
        self.watched_signals.add(signum);
        let (owner, made) = (self.loop_of(id), self.handle(id).made);
        self.state_mut(owner).signals.insert((signum, oneshot, made), id);
        self.mark_active(id, true);
        Ok(())
    }

    /// Moves a one-shot among the lasting handles of the signal.
    fn make_lasting(&mut self, id: HandleId, signum: i32) {
        let (owner, made) = (self.loop_of(id), self.handle(id).made);
        let watching = &mut self.state_mut(owner).signals.watching;
        if let Some(moved) = watching.remove(&(signum, true, made)) {
            watching.insert((signum, false, made), moved);
        }
    }

    /// Stops watching (uv_signal_stop).
    pub fn signal_stop(&mut self, id: HandleId) {
        if !self.handle(id).active {
            return;
        }
        let (owner, made) = (self.loop_of(id), self.handle(id).made);
        if let Ok(state) = self.signal_state_mut(id) {
            let (signum, oneshot) = (std::mem::take(&mut state.signum), state.oneshot);
            self.watched_signals.remove(signum);
            self.state_mut(owner).signals.remove((signum, oneshot, made));
        }
        self.mark_active(id, false);
    }

    /// Returns the signal that the handle watches, 0 if it is stopped.
    pub fn signal_signum(&self, id: HandleId) -> Result<i32, Error> {
        self.check_open(id)?;
        Ok(self.signum(id))
    }

    /// Returns the signal that a handle of any kind and stage watches, 0 for none.
    pub fn signum(&self, id: HandleId) -> i32 {
        match &self.handle(id).kind {
            Kind::Signal(state) => state.signum,
            _ => 0,
        }
    }

    /// Reports one delivery of a signal, as [`Loops::signals_delivered`].
    pub fn signal_delivered(&mut self, id: LoopId, signum: i32) {
        self.signals_delivered(id, &[(signum, 1)]);
    }

    /// Reports deliveries of signals in their order: signals, and how often each was delivered in a
    /// row. The loop's handles that watch a signal are called for each of its deliveries in the
    /// next poll: lasting handles before one-shots, then in order of creation.
    pub fn signals_delivered(&mut self, id: LoopId, deliveries: &[(i32, u64)]) {
        self.state_mut(id).signals.deliver(deliveries);
    }

    /// As [`Loops::signals_delivered`], to all loops.
    pub fn signals_delivered_to_all(&mut self, deliveries: &[(i32, u64)]) {
        self.loops.iter_mut().for_each(|(_, state)| state.signals.deliver(deliveries));
    }

    /// Records at the end of a poll whether there are deliveries to read after its other events.
    #[inline(always)]
    pub(crate) fn note_signals(&mut self, id: LoopId) {
        let queue = &mut self.state_mut(id).signals;
        if queue.behind > 0 {
            queue.catch_up();
        }
        queue.readable = !queue.messages.is_empty();
    }

    /// Reads the deliveries if there were any when the poll ended. That includes signals raised by
    /// the poll's other callbacks (uv__signal_event).
    pub(crate) fn read_signals(&mut self, id: LoopId) {
        let queue = &mut self.state_mut(id).signals;
        if queue.readable {
            // Each message is at least one delivery.
            let first = queue.messages.iter().take(READ as usize);
            queue.read = first.fold(0, |read: u64, message| read.saturating_add(message.count)).min(READ);
            queue.read_again = queue.read == READ;
        }
    }

    /// Continues with the read deliveries to the next handle to call.
    pub(crate) fn next_signal(&mut self, id: LoopId) -> Option<(HandleId, i32)> {
        loop {
            let queue = &mut self.state_mut(id).signals;
            if queue.read == 0 && std::mem::take(&mut queue.read_again) {
                self.read_signals(id);
                continue;
            }
            if queue.read == 0 {
                queue.readable = false;
                return None;
            }
            let Message { handle, made, signum, .. } = *queue.messages.front()?;
            let exists = self.still(handle, made).is_some();
            let is_called = exists && self.signum(handle) == signum;
            self.state_mut(id).signals.take(!is_called);
            if is_called {
                return Some((handle, signum));
            }
            if exists {
                // A delivery that comes too late still uses up a one-shot, as in libuv.
                self.signal_called(handle);
            }
        }
    }

    /// Stops a one-shot after its callback.
    pub(crate) fn signal_called(&mut self, id: HandleId) {
        if matches!(&self.handle(id).kind, Kind::Signal(state) if state.oneshot) {
            self.signal_stop(id);
        }
    }

    fn signal_state_mut(&mut self, id: HandleId) -> Result<&mut SignalState, Error> {
        match &mut self.handle_mut(id).kind {
            Kind::Signal(state) => Ok(state),
            _ => Err(Error::Invalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::*;
    use crate::{Error, HandleId, RunMode};

    const HUP: i32 = 1;
    const USR1: i32 = 10;

    fn watching(world: &mut World, signum: i32, oneshot: bool) -> HandleId {
        let signal = world.loops.make_signal(world.main, 0).unwrap();
        world.loops.signal_start(signal, signum, oneshot, |_| true).unwrap();
        signal
    }

    #[test]
    fn a_signal_is_watched_as_long_as_a_handle_of_any_loop_watches_it() {
        let mut world = World::new();
        let (one, two) = (watching(&mut world, HUP, false), watching(&mut world, HUP, true));
        watching(&mut world, 64, false);
        assert_eq!(world.loops.watched_signals(), 1 << 63 | 1);
        world.loops.signal_stop(one);
        assert_eq!(world.loops.watched_signals(), 1 << 63 | 1);
        world.loops.close(two);
        assert_eq!(world.loops.watched_signals(), 1 << 63);
        world.loops.release_loop(world.main);
        assert_eq!(world.loops.watched_signals(), 0);
    }

    #[test]
    fn every_delivery_is_dispatched_in_order() {
        let mut world = World::new();
        let (hup, usr1) = (watching(&mut world, HUP, false), watching(&mut world, USR1, false));
        for signum in [USR1, HUP, USR1] {
            world.loops.signal_delivered(world.main, signum);
        }
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [signal(usr1, USR1), signal(hup, HUP), signal(usr1, USR1)]);
    }

    #[test]
    fn lasting_handles_are_called_before_one_shots_then_in_order_of_creation() {
        let mut world = World::new();
        let oneshot = watching(&mut world, HUP, true);
        let late = world.loops.make_signal(world.main, 0).unwrap();
        let later = watching(&mut world, HUP, false);
        world.loops.signal_start(late, HUP, false, |_| true).unwrap();
        world.loops.signal_delivered(world.main, HUP);
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [signal(late, HUP), signal(later, HUP), signal(oneshot, HUP)]);
    }

    #[test]
    fn a_one_shot_is_called_once_and_stopped_after_its_callback() {
        let mut world = World::new();
        let oneshot = watching(&mut world, HUP, true);
        world.loops.signal_delivered(world.main, HUP);
        world.loops.signal_delivered(world.main, HUP);
        world.on(signal(oneshot, HUP), move |world| {
            assert!(world.loops.active(oneshot));
            assert_eq!(world.loops.signal_signum(oneshot), Ok(HUP));
        });
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [signal(oneshot, HUP)]);
        assert!(!world.loops.active(oneshot));
        assert_eq!(world.loops.signal_signum(oneshot), Ok(0));
    }

    #[test]
    fn a_plain_start_makes_a_one_shot_lasting() {
        let mut world = World::new();
        let handle = watching(&mut world, HUP, true);
        world.loops.signal_start(handle, HUP, false, |_| true).unwrap();
        for _ in 0..2 {
            world.loops.signal_delivered(world.main, HUP);
        }
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [signal(handle, HUP), signal(handle, HUP)]);
        world.loops.signal_start(handle, HUP, true, |_| true).unwrap();
        world.loops.signal_delivered(world.main, HUP);
        world.run(RunMode::Once);
        assert!(world.loops.active(handle), "a lasting watch of the same signal stays one");
    }

    #[test]
    fn a_refused_start_with_another_signal_stops_the_handle() {
        let mut world = World::new();
        for (refused, error) in
            [(9, Error::Invalid), (65, Error::Invalid), (-1, Error::Invalid), (2, Error::AccessDenied)]
        {
            let handle = watching(&mut world, HUP, false);
            let start = world.loops.signal_start(handle, refused, false, |signum| signum != 2);
            assert_eq!(start, Err(error), "{refused}");
            assert!(!world.loops.active(handle));
        }
        let handle = watching(&mut world, HUP, false);
        assert_eq!(world.loops.signal_start(handle, 0, false, |_| true), Err(Error::Invalid));
        assert!(world.loops.active(handle), "0 is refused without stopping the handle");
    }

    #[test]
    fn signals_that_the_host_depends_on_are_refused() {
        let mut world = World::new();
        let handle = world.loops.make_signal(world.main, 0).unwrap();
        for signum in super::FORBIDDEN {
            let start = world.loops.signal_start(handle, signum, false, |_| true);
            assert_eq!(start, Err(Error::Invalid), "{signum}");
        }
    }

    #[test]
    fn a_handle_closed_with_a_delivery_pending_is_only_called_back_as_closed() {
        let mut world = World::new();
        let handle = watching(&mut world, HUP, false);
        world.loops.signal_delivered(world.main, HUP);
        world.loops.close(handle);
        assert_eq!(world.loops.signal_signum(handle), Err(Error::HandleClosed));
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [close(handle)]);
    }

    #[test]
    fn a_handle_stopped_with_a_delivery_pending_is_not_called() {
        let mut world = World::new();
        let handle = watching(&mut world, HUP, false);
        world.loops.signal_delivered(world.main, HUP);
        world.loops.signal_stop(handle);
        world.run(RunMode::NoWait);
        assert!(world.trace().is_empty());
    }

    #[test]
    fn signals_raised_by_other_callbacks_of_the_poll_are_read_with_earlier_ones() {
        let mut world = World::new();
        let handle = watching(&mut world, HUP, false);
        let async_handle = world.async_handle();
        world.loops.async_send(async_handle).unwrap();
        world.on(call(async_handle), |world| world.loops.signal_delivered(world.main, HUP));
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [call(async_handle)], "there was no delivery when the poll ended");

        world.loops.async_send(async_handle).unwrap();
        world.on(call(async_handle), |world| world.loops.signal_delivered(world.main, HUP));
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [call(async_handle), signal(handle, HUP), signal(handle, HUP)]);
    }

    #[test]
    fn signals_raised_in_a_signal_callback_wait_for_the_next_poll_unless_32_were_read() {
        for (before, in_the_same_poll) in [(1, 1), (31, 31), (32, 33)] {
            let mut world = World::new();
            let handle = watching(&mut world, HUP, false);
            for _ in 0..before {
                world.loops.signal_delivered(world.main, HUP);
            }
            world.on(signal(handle, HUP), |world| world.loops.signal_delivered(world.main, HUP));
            world.run(RunMode::Once);
            assert_eq!(world.trace().len(), in_the_same_poll, "{before}");
        }
    }

    /// Runs until no delivery is left, and counts the calls.
    fn all_calls(world: &mut World, watched: &[(HandleId, i32)]) -> Vec<usize> {
        let mut counts = vec![0; watched.len()];
        while world.loops.has_ready(world.main) {
            world.run(RunMode::NoWait);
            let trace = world.trace();
            for (count, &(handle, signum)) in counts.iter_mut().zip(watched) {
                *count += trace.iter().filter(|&&called| called == signal(handle, signum)).count();
            }
        }
        counts
    }

    #[test]
    fn every_delivery_counts_also_beyond_the_queue() {
        const FLOOD: usize = super::WAITING * 2 + 10;
        let mut world = World::new();
        let lasting = watching(&mut world, USR1, false);
        let oneshot = watching(&mut world, USR1, true);
        let hup = watching(&mut world, HUP, false);
        (0..FLOOD).for_each(|_| world.loops.signal_delivered(world.main, USR1));
        world.loops.signal_delivered(world.main, HUP);
        let calls = all_calls(&mut world, &[(lasting, USR1), (oneshot, USR1), (hup, HUP)]);
        assert_eq!(calls, [FLOOD, 1, 1]);

        let deliveries = [(USR1, FLOOD as u64), (HUP, 2), (12, 1), (USR1, 1)];
        world.loops.signals_delivered(world.main, &deliveries);
        let calls = all_calls(&mut world, &[(lasting, USR1), (oneshot, USR1), (hup, HUP)]);
        assert_eq!(calls, [FLOOD + 1, 0, 2]);
    }

    #[test]
    fn a_flood_takes_room_for_the_handles_only() {
        let mut world = World::new();
        let handles: Vec<HandleId> = (0..100).map(|_| watching(&mut world, HUP, false)).collect();
        world.loops.signals_delivered(world.main, &[(HUP, u64::MAX), (HUP, u64::MAX)]);
        let queue = &world.loops.state(world.main).signals;
        assert!(queue.messages.len() <= super::WAITING + handles.len());
        assert_eq!(queue.behind, handles.len());

        // A stopped handle gives its deliveries up.
        handles.iter().for_each(|&handle| world.loops.signal_stop(handle));
        assert_eq!(world.loops.state(world.main).signals.behind, 0);
        watching(&mut world, USR1, false);
        world.run(RunMode::NoWait);
        assert!(world.trace().is_empty() && !world.loops.has_ready(world.main));
    }

    #[test]
    fn a_flood_lets_the_other_phases_have_their_turn() {
        let mut world = World::new();
        let handle = watching(&mut world, HUP, false);
        let timer = world.timer();
        world.loops.timer_start(timer, 0, 0).unwrap();
        world.loops.signal_delivered(world.main, HUP);
        world.on(signal(handle, HUP), |world| {
            (0..super::READ).for_each(|_| world.loops.signal_delivered(world.main, HUP));
            world.loops.signals_delivered(world.main, &[(HUP, super::WAITING as u64)]);
        });
        world.loops.signals_delivered(world.main, &[(HUP, super::READ - 1)]);
        world.run(RunMode::Once);
        assert_eq!(world.trace().last(), Some(&call(timer)));
        assert_eq!(all_calls(&mut world, &[(handle, HUP)]), [2 * super::READ as usize - 1]);
    }

    /// Returns how long a flood of one signal takes while many handles watch another one.
    fn flood_beside(others: usize) -> std::time::Duration {
        let mut world = World::new();
        for _ in 0..others {
            watching(&mut world, HUP, false);
        }
        watching(&mut world, USR1, false);
        let begun = std::time::Instant::now();
        for _ in 0..1_000 {
            world.loops.signal_delivered(world.main, USR1);
        }
        begun.elapsed()
    }

    #[test]
    fn a_delivery_costs_as_much_as_the_handles_that_watch_the_signal() {
        flood_beside(0);
        let alone = (0..10).map(|_| flood_beside(0)).min().unwrap();
        let beside = (0..3).map(|_| flood_beside(20_000)).min().unwrap();
        // A walk over all handles takes more than a thousand times as long.
        assert!(beside < alone * 100, "{beside:?} beside 20,000 others, {alone:?} alone");
    }

    #[test]
    fn signals_are_dispatched_after_the_other_events_of_the_poll() {
        let mut world = World::new();
        let handle = watching(&mut world, HUP, false);
        let async_handle = world.async_handle();
        world.loops.signal_delivered(world.main, HUP);
        world.loops.async_send(async_handle).unwrap();
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [call(async_handle), signal(handle, HUP)]);
    }

    #[test]
    fn a_delivery_to_two_loops_reaches_both() {
        let mut world = World::new();
        let here = watching(&mut world, HUP, false);
        let other = world.loops.make_loop(0).unwrap();
        let there = world.loops.make_signal(other, 0).unwrap();
        world.loops.signal_start(there, HUP, false, |_| true).unwrap();
        for event_loop in [world.main, other] {
            world.loops.signal_delivered(event_loop, HUP);
        }
        world.run(RunMode::Once);
        world.main = other;
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [signal(here, HUP), signal(there, HUP)]);
    }
}
