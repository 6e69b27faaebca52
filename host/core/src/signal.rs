//! Signal handles, as libuv's signal.c.
//!
//! The driver catches signals and reports each delivery to every loop with
//! [`Loops::signal_delivered`], at the latest before a handle of the loop starts or stops watching.

use crate::handle::Kind;
use crate::links::Anchor;
use crate::{Error, HandleId, LoopId, Loops};
use std::collections::VecDeque;

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

/// The signal handles of a loop, and the deliveries to them.
#[derive(Debug)]
pub(crate) struct SignalQueue {
    /// The active handles, in no order.
    watching: Anchor,
    /// One entry per delivery and handle, as in libuv's signal pipe.
    messages: VecDeque<Message>,
    /// There were deliveries when the poll ended. They are read after the poll's other events.
    readable: bool,
    /// The number of deliveries read and not dispatched yet.
    read: usize,
    /// The last read was full, so there may be more to read.
    read_again: bool,
}

#[derive(Debug, Clone, Copy)]
struct Message {
    handle: HandleId,
    made: u64,
    signum: i32,
}

impl SignalQueue {
    /// Makes deliveries that were read and not dispatched unread again.
    pub(crate) fn put_back(&mut self) {
        (self.readable, self.read, self.read_again) = (false, 0, false);
    }

    pub(crate) fn new(watching: Anchor) -> SignalQueue {
        SignalQueue { watching, messages: VecDeque::new(), readable: false, read: 0, read_again: false }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

/// The number of deliveries that libuv reads from its pipe at once. After a full read it reads
/// again, and then also gets signals raised by the callbacks in between.
const READ: usize = 32;

/// The capacity of a loop's queue, the same as of libuv's signal pipe. Deliveries to a full queue
/// are lost, as with a full pipe. A guest that never runs its loop therefore cannot grow the host's
/// memory.
const WAITING: usize = 4_096;

/// The signals that the active handles of all loops watch.
#[derive(Debug, Default)]
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
        !self.links.is_empty(self.state(id).signals.watching)
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
            state.oneshot &= oneshot;
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
        let owner = self.loop_of(id);
        let watching = self.state(owner).signals.watching;
        self.links.push_back(watching, id.index());
        self.mark_active(id, true);
        Ok(())
    }

    /// Stops watching (uv_signal_stop).
    pub fn signal_stop(&mut self, id: HandleId) {
        if !self.handle(id).active {
            return;
        }
        if let Ok(state) = self.signal_state_mut(id) {
            let signum = std::mem::take(&mut state.signum);
            self.watched_signals.remove(signum);
        }
        self.links.unlink(id.index());
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

    /// Reports one delivery of a signal. The loop's handles that watch it are called in the next
    /// poll: lasting handles before one-shots, then in order of creation.
    pub fn signal_delivered(&mut self, id: LoopId, signum: i32) {
        let queue = &self.state(id).signals;
        let room = WAITING.saturating_sub(queue.messages.len());
        if room == 0 {
            // Return before the search: the number of watching handles and of deliveries is
            // unbounded.
            return;
        }
        let mut called: Vec<(bool, u64, HandleId)> = self
            .links
            .iter(queue.watching)
            .map(HandleId::from_index)
            .map(|watching| (watching, self.handle(watching)))
            .filter_map(|(watching, handle)| match &handle.kind {
                Kind::Signal(state) if state.signum == signum => Some((state.oneshot, handle.made, watching)),
                _ => None,
            })
            .collect();
        called.sort_unstable_by_key(|&(oneshot, made, _)| (oneshot, made));
        let messages = called.into_iter().map(|(_, made, handle)| Message { handle, made, signum });
        self.state_mut(id).signals.messages.extend(messages.take(room));
    }

    /// Records at the end of a poll whether there are deliveries to read after its other events.
    pub(crate) fn note_signals(&mut self, id: LoopId) {
        let queue = &mut self.state_mut(id).signals;
        queue.readable = !queue.messages.is_empty();
    }

    /// Reads the deliveries if there were any when the poll ended. That includes signals raised by
    /// the poll's other callbacks (uv__signal_event).
    pub(crate) fn read_signals(&mut self, id: LoopId) {
        let queue = &mut self.state_mut(id).signals;
        if queue.readable {
            queue.read = queue.messages.len().min(READ);
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
            queue.read -= 1;
            let message = queue.messages.pop_front()?;
            if self.still(message.handle, message.made).is_none() {
                continue;
            }
            if self.signum(message.handle) == message.signum {
                return Some((message.handle, message.signum));
            }
            // A delivery that comes too late still uses up a one-shot, as in libuv.
            self.signal_called(message.handle);
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

    #[test]
    fn the_queue_holds_as_many_deliveries_as_libuvs_pipe() {
        let mut world = World::new();
        let handle = watching(&mut world, HUP, false);
        for _ in 0..super::WAITING + 10 {
            world.loops.signal_delivered(world.main, HUP);
        }
        world.run(RunMode::Once);
        assert_eq!(world.trace(), vec![signal(handle, HUP); super::WAITING]);
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
