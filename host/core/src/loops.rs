//! All loops of one guest, and the handles on them.

use crate::async_handle::AsyncLists;
use crate::close::Stage;
use crate::handle::{Handle, Kind};
use crate::links::{Anchor, Links};
use crate::poll::Polls;
use crate::run::Run;
use crate::session::Session;
use crate::signal::{SignalQueue, Watched};
use crate::timer::Timers;
use crate::watcher::WatcherLists;
use crate::{Error, HandleId};
use slab::Slab;

/// The id of a loop of a [`Loops`].
///
/// It is valid until [`Loops::release_loop`]. The number of a released loop is reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LoopId(u32);

impl LoopId {
    /// Returns the number of the id. Numbers are dense and start at 0.
    pub fn index(self) -> u32 {
        self.0
    }

    /// Returns the id with this number. Only a number from [`LoopId::index`] names a loop.
    pub fn from_index(index: u32) -> LoopId {
        LoopId(index)
    }

    pub(crate) fn at(self) -> usize {
        self.0 as usize
    }
}

/// Limits on the objects of one guest. A call that exceeds a limit returns an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The number of handles on all loops together. Closed handles count until they are released.
    pub handles: u32,
    /// The number of loops. Closed loops count until they are released. Timer pools and runs have
    /// the same limit.
    pub loops: u32,
}

impl Default for Limits {
    /// 65,536 handles, 64 loops.
    fn default() -> Limits {
        Limits { handles: 65_536, loops: 64 }
    }
}

/// All loops of one guest and the handles on them.
// In this order, so that what an iteration reads is adjacent, at the end: of an idle guest, each
// cache line has to be fetched.
#[derive(Debug)]
#[repr(C)]
pub struct Loops {
    pub(crate) limits: Limits,
    /// The number of timer pools.
    pub(crate) pools: u32,
    /// The number of timer pools made so far, released ones included.
    pub(crate) pools_made: u32,
    made: u64,
    pub(crate) sessions: Slab<Session>,
    pub(crate) watched_signals: Watched,
    pub(crate) links: Links,
    pub(crate) handles: Slab<Handle>,
    pub(crate) loops: Slab<Loop>,
}

/// The state of one loop.
// In this order, so that what an iteration reads is adjacent, at the start: see [`Loops`].
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Loop {
    pub now: u64,
    /// The number of handles that are both active and referenced.
    pub active_referenced: usize,
    pub run: Option<Run>,
    pub stop: bool,
    pub closed: bool,
    pub released: bool,
    pub watchers: WatcherLists,
    /// Handles that wait for the next closing phase. The handle closed last is first.
    pub closing: Anchor,
    /// Handles that the closing phase in progress has taken and not called back yet.
    pub closing_now: Anchor,
    pub asyncs: AsyncLists,
    pub timers: Timers,
    pub signals: SignalQueue,
    pub polls: Polls,
    /// The number of handles whose close callback has not run.
    pub open: usize,
    /// The number of slots in use, closed handles included.
    pub slots: usize,
}

/// The number of lists of a loop, without those of a timing wheel.
const LISTS: u32 = 13;

impl Loops {
    /// Creates an empty set of loops.
    pub fn new(limits: Limits) -> Loops {
        Loops {
            limits,
            loops: Slab::new(),
            handles: Slab::new(),
            links: Links::default(),
            watched_signals: Watched::default(),
            sessions: Slab::new(),
            pools: 0,
            pools_made: 0,
            made: 0,
        }
    }

    /// Makes a loop whose time starts at `now` milliseconds.
    pub fn make_loop(&mut self, now: u64) -> Result<LoopId, Error> {
        if self.loops.len() >= self.limits.loops as usize {
            return Err(Error::TooManyLoops);
        }
        let lists = self.links.new_anchors(LISTS);
        if self.loops.capacity() == 0 {
            // Most guests have one loop, and there may be many guests.
            self.loops = Slab::with_capacity(1);
        }
        let at = self.loops.insert(Loop {
            now,
            timers: Timers::new(now, lists, lists.nth(12)),
            watchers: WatcherLists::new(lists.nth(1)),
            asyncs: AsyncLists::new(lists.nth(7)),
            polls: Polls::new(lists.nth(11)),
            signals: SignalQueue::default(),
            closing: lists.nth(9),
            closing_now: lists.nth(10),
            active_referenced: 0,
            open: 0,
            slots: 0,
            stop: false,
            closed: false,
            released: false,
            run: None,
        });
        Ok(LoopId(at as u32))
    }

    /// Closes the loop (uv_loop_close). The call has no effect on a closed loop.
    pub fn close_loop(&mut self, id: LoopId) -> Result<(), Error> {
        let state = self.state_mut(id);
        if state.closed {
            return Ok(());
        }
        if state.open > 0 || state.run.is_some() {
            return Err(Error::Busy);
        }
        state.closed = true;
        Ok(())
    }

    /// Returns whether the loop exists: it has not been released and freed.
    pub fn has_loop(&self, id: LoopId) -> bool {
        self.loops.contains(id.at())
    }

    /// Returns the loop of the handle with this number, if there is such a handle.
    pub fn loop_of_number(&self, number: u32) -> Option<LoopId> {
        self.handles.get(number as usize).map(|handle| handle.owner)
    }

    /// Returns whether the loop is closed.
    pub fn loop_closed(&self, id: LoopId) -> bool {
        self.state(id).closed
    }

    /// Releases the loop.
    ///
    /// Its handles are closed without close callbacks. Its run ends, and with it the callback in
    /// progress. Its slot is freed once its handles are released too.
    pub fn release_loop(&mut self, id: LoopId) {
        self.end_loop(id);
        self.state_mut(id).released = true;
        self.free_loop_if_unused(id);
    }

    /// Closes the loop, its handles without close callbacks, and its run.
    fn end_loop(&mut self, id: LoopId) {
        // No later step ends the callback in progress.
        self.after_callback(id);
        let handles: Vec<HandleId> = self.handles_of(id).map(|(_, handle)| handle).collect();
        for handle in handles {
            self.close_silently(handle);
        }
        let state = self.state_mut(id);
        state.closed = true;
        state.run = None;
        self.end_sessions_of(id);
    }

    /// Closes all loops and handles, without close callbacks, and lets nothing be made any more.
    ///
    /// Ids stay valid until they are released. A guest that still has them gets errors.
    pub fn shut_down(&mut self) {
        let all: Vec<LoopId> = self.all_loops().collect();
        for id in all {
            // The end of a callback frees a released loop with its last handle.
            if self.has_loop(id) {
                self.end_loop(id);
            }
        }
        self.limits = Limits { handles: 0, loops: 0 };
    }

    /// Returns the loop's time in milliseconds (uv_now).
    pub fn now(&self, id: LoopId) -> Result<u64, Error> {
        self.open_state(id).map(|state| state.now)
    }

    /// Refreshes the loop's time (uv_update_time). The time never decreases.
    pub fn update_time(&mut self, id: LoopId, now: u64) -> Result<(), Error> {
        self.open_state(id)?;
        self.refresh_time(id, now);
        Ok(())
    }

    pub(crate) fn refresh_time(&mut self, id: LoopId, now: u64) {
        let state = self.state_mut(id);
        state.now = state.now.max(now);
    }

    /// Returns whether a run has something to do (uv_loop_alive).
    pub fn alive(&self, id: LoopId) -> bool {
        let state = self.state(id);
        !state.closed && (state.active_referenced > 0 || !self.links.is_empty(state.closing))
    }

    /// Ends the run after the iteration in progress (uv_stop).
    pub fn stop(&mut self, id: LoopId) {
        let state = self.state_mut(id);
        state.stop |= !state.closed;
    }

    /// Returns whether [`stop`](Loops::stop) was called and no run has ended since.
    pub fn stopping(&self, id: LoopId) -> bool {
        self.state(id).stop
    }

    /// Returns how many milliseconds the next poll may wait, `None` for no limit
    /// (uv_backend_timeout).
    pub fn poll_timeout(&mut self, id: LoopId) -> Result<Option<u32>, Error> {
        self.open_state(id)?;
        Ok(self.timeout(id))
    }

    /// Returns the number of open handles.
    pub fn open_handles(&self, id: LoopId) -> usize {
        self.state(id).open
    }

    /// Returns the handles whose close callback has not run, in order of creation (uv_walk).
    pub fn handles(&self, id: LoopId) -> Vec<HandleId> {
        let mut handles: Vec<(u64, HandleId)> = self
            .handles_of(id)
            .filter(|&(_, handle)| matches!(self.handle(handle).stage, Stage::Open | Stage::Closing))
            .collect();
        handles.sort_unstable_by_key(|&(made, _)| made);
        handles.into_iter().map(|(_, handle)| handle).collect()
    }

    fn handles_of(&self, id: LoopId) -> impl Iterator<Item = (u64, HandleId)> {
        self.handles
            .iter()
            .filter(move |(_, handle)| handle.owner == id)
            .map(|(at, handle)| (handle.made, HandleId::from_index(at as u32)))
    }

    /// Makes a handle that is referenced and not active (uv__handle_init).
    pub(crate) fn make(&mut self, owner: LoopId, token: u64, kind: Kind) -> Result<HandleId, Error> {
        self.open_state(owner)?;
        if self.handles.len() >= self.limits.handles as usize {
            return Err(Error::TooManyHandles);
        }
        let handle = self.new_handle(owner, token, kind);
        self.state_mut(owner).open += 1;
        Ok(self.insert_handle(handle))
    }

    /// Stores a handle in a slot, in no list. This does not count it as open.
    pub(crate) fn insert_handle(&mut self, handle: Handle) -> HandleId {
        self.state_mut(handle.owner).slots += 1;
        let at = self.handles.insert(handle) as u32;
        self.links.reset(at);
        HandleId::from_index(at)
    }

    /// Replaces a closed handle, which is in no list, with a new one in the same slot.
    pub(crate) fn reuse_slot(&mut self, id: HandleId, token: u64, kind: Kind) {
        let owner = self.loop_of(id);
        *self.handle_mut(id) = self.new_handle(owner, token, kind);
        debug_assert!(self.links.is_alone(id.index()));
        self.links.set_deadline(id.index(), 0);
        self.state_mut(owner).open += 1;
    }

    pub(crate) fn new_handle(&mut self, owner: LoopId, token: u64, kind: Kind) -> Handle {
        self.made += 1;
        Handle {
            token,
            made: self.made,
            owner,
            active: false,
            referenced: true,
            stage: Stage::Open,
            dropped: false,
            kind,
        }
    }

    /// Frees the slot of a handle that is closed and dropped.
    pub(crate) fn free_slot(&mut self, id: HandleId) {
        let handle = self.handles.remove(id.index() as usize);
        self.state_mut(handle.owner).slots -= 1;
        self.free_loop_if_unused(handle.owner);
    }

    fn free_loop_if_unused(&mut self, id: LoopId) {
        let state = self.state(id);
        if state.released && state.slots == 0 {
            let mut state = self.loops.remove(id.at());
            state.timers.free(&mut self.links);
            self.links.free_anchors(state.timers.lists(), LISTS);
        }
    }

    #[inline(always)]
    pub(crate) fn state(&self, id: LoopId) -> &Loop {
        &self.loops[id.at()]
    }

    #[inline(always)]
    pub(crate) fn state_mut(&mut self, id: LoopId) -> &mut Loop {
        &mut self.loops[id.at()]
    }

    #[inline(always)]
    pub(crate) fn open_state(&self, id: LoopId) -> Result<&Loop, Error> {
        match self.state(id) {
            state if state.closed => Err(Error::LoopClosed),
            state => Ok(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use crate::{RunMode, Step};

    #[test]
    fn a_loop_with_open_handles_is_busy() {
        let mut world = World::new();
        let timer = world.timer();
        assert_eq!(world.loops.close_loop(world.main), Err(Error::Busy));
        world.loops.close(timer);
        assert_eq!(world.loops.close_loop(world.main), Err(Error::Busy), "a closing handle is not closed");
        world.run(RunMode::Default);
        assert_eq!(world.loops.close_loop(world.main), Ok(()));
        assert_eq!(world.loops.close_loop(world.main), Ok(()), "a second close succeeds");
    }

    #[test]
    fn a_running_loop_is_busy() {
        let mut world = World::new();
        world.loops.begin(world.main, RunMode::Default).unwrap();
        assert_eq!(world.loops.close_loop(world.main), Err(Error::Busy));
    }

    #[test]
    fn calls_on_a_closed_loop_are_refused() {
        let mut world = World::new();
        let main = world.main;
        world.loops.close_loop(main).unwrap();
        assert!(world.loops.loop_closed(main));
        assert_eq!(world.loops.make_timer(main, 0), Err(Error::LoopClosed));
        assert_eq!(world.loops.begin(main, RunMode::Once), Err(Error::LoopClosed));
        assert_eq!(world.loops.now(main), Err(Error::LoopClosed));
        assert_eq!(world.loops.update_time(main, 1), Err(Error::LoopClosed));
        assert_eq!(world.loops.poll_timeout(main), Err(Error::LoopClosed));
        assert!(!world.loops.alive(main));
        assert!(world.loops.handles(main).is_empty());
        world.loops.stop(main);
    }

    #[test]
    fn the_time_never_decreases() {
        let mut world = World::new();
        world.loops.update_time(world.main, 100).unwrap();
        world.loops.update_time(world.main, 50).unwrap();
        assert_eq!(world.loops.now(world.main), Ok(100));
    }

    #[test]
    fn handles_are_listed_in_order_of_creation_until_their_close_callback() {
        let mut world = World::new();
        let (a, b, c) = (world.timer(), world.timer(), world.timer());
        world.loops.close(b);
        assert_eq!(world.loops.handles(world.main), [a, b, c]);
        world.run(RunMode::NoWait);
        assert_eq!(world.loops.handles(world.main), [a, c]);
        world.loops.release(b);
        let d = world.timer();
        assert_eq!(d, b, "the slot is reused");
        assert_eq!(world.loops.handles(world.main), [a, c, d]);
    }

    #[test]
    fn exceeded_limits_are_errors() {
        let mut loops = Loops::new(Limits { handles: 2, loops: 2 });
        let (first, second) = (loops.make_loop(0).unwrap(), loops.make_loop(0).unwrap());
        assert_eq!(loops.make_loop(0), Err(Error::TooManyLoops));
        let timer = loops.make_timer(first, 0).unwrap();
        loops.make_timer(second, 0).unwrap();
        assert_eq!(loops.make_timer(first, 0), Err(Error::TooManyHandles));
        loops.release(timer);
        loops.make_timer(first, 0).unwrap();
        loops.release_loop(second);
        assert_eq!(loops.make_loop(0), Err(Error::TooManyLoops), "a handle still refers to the loop");
    }

    #[test]
    fn a_released_loop_closes_its_handles_and_frees_its_slot_after_them() {
        let mut world = World::new();
        let (timer, closing) = (world.timer(), world.timer());
        world.loops.timer_start(timer, 10, 0).unwrap();
        world.loops.close(closing);
        world.loops.release_loop(world.main);
        assert!(world.loops.handle_closed(timer) && !world.loops.active(timer));
        assert_eq!(world.loops.timer_start(timer, 0, 0), Err(Error::HandleClosed));
        assert!(world.loops.handle_closed(closing));
        world.loops.release(timer);
        world.loops.release(closing);
        assert!(world.loops.loops.is_empty() && world.loops.handles.is_empty());
    }

    #[test]
    fn after_a_shut_down_every_id_is_valid_and_every_call_refused() {
        let mut world = World::new();
        let (main, timer, dropped) = (world.main, world.timer(), world.timer());
        let pool = world.loops.make_pool().unwrap();
        let pooled = world.loops.allocate_timers(pool, main, 1).unwrap()[0];
        let released = world.loops.make_loop(0).unwrap();
        let left = world.loops.make_timer(released, 0).unwrap();
        world.loops.release_loop(released);
        let run = world.loops.begin_run(main, RunMode::Default).unwrap();
        for handle in [timer, dropped] {
            world.loops.timer_start(handle, 0, 1).unwrap();
        }
        assert!(matches!(world.loops.step(main, &mut || 0), Ok(Step::Deliver(_))));
        world.loops.release(timer);
        world.loops.release(dropped);
        let timer = world.loops.make_signal(main, 0).unwrap();
        world.loops.signal_start(timer, 1, false, |_| true).unwrap();
        world.loops.shut_down();
        assert_eq!(world.loops.watched_signals(), 0);
        assert!(
            world.loops.handle_closed(timer) && world.loops.loop_closed(main) && !world.loops.alive(main)
        );
        assert_eq!(world.loops.signal_start(timer, 1, false, |_| true), Err(Error::HandleClosed));
        assert_eq!(world.loops.make_timer(main, 0), Err(Error::LoopClosed));
        assert_eq!(world.loops.make_loop(0), Err(Error::TooManyLoops));
        assert_eq!(world.loops.make_pool(), Err(Error::TooManyHandles));
        assert_eq!(world.loops.loop_of_run(run), Err(Error::LoopClosed));
        world.loops.shut_down();
        for handle in [timer, pooled, left] {
            world.loops.close(handle);
            world.loops.release(handle);
        }
        world.loops.release_pool(pool);
        world.loops.release_run(run);
        world.loops.release_loop(main);
        assert!(world.loops.loops.is_empty() && world.loops.handles.is_empty());
    }

    /// Begins a run and steps to its first callback.
    fn first_callback(world: &mut World) -> HandleId {
        world.loops.begin(world.main, RunMode::Default).unwrap();
        loop {
            match world.loops.step(world.main, &mut || 0).unwrap() {
                Step::Deliver(event) => return event.handle,
                Step::Poll { .. } => world.loops.polled(world.main, 0),
                Step::Finished { .. } => panic!("no callback is due"),
            }
        }
    }

    #[test]
    fn a_loop_can_be_released_in_the_callback_of_a_released_handle() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_start(timer, 0, 1).unwrap();
        assert_eq!(first_callback(&mut world), timer);
        world.loops.release(timer);
        world.loops.release_loop(world.main);
        assert!(world.loops.loops.is_empty() && world.loops.handles.is_empty());
    }

    #[test]
    fn a_loop_released_in_a_close_callback_leaves_the_handle_closed() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.close(timer);
        assert_eq!(first_callback(&mut world), timer);
        assert!(!world.loops.handle_closed(timer));
        world.loops.release_loop(world.main);
        assert!(world.loops.handle_closed(timer));
        world.loops.release(timer);
        assert!(world.loops.loops.is_empty() && world.loops.handles.is_empty());
    }
}
