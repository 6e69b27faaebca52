//! All loops of one guest, and the handles on them: making, looking up, freeing.

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

/// A loop of a [`Loops`]. Valid until [`Loops::release_loop`]; the number of a released loop is
/// given to another one later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LoopId(u32);

impl LoopId {
    /// The number behind the id: dense, from 0 on.
    pub fn index(self) -> u32 {
        self.0
    }

    /// The id with this number. Only a number that [`LoopId::index`] gave names a loop.
    pub fn from_index(index: u32) -> LoopId {
        LoopId(index)
    }

    pub(crate) fn at(self) -> usize {
        self.0 as usize
    }
}

/// How much a guest may have at once. What is over a limit is refused with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Handles on all loops together, closed ones included until they are released.
    pub handles: u32,
    /// Loops, closed ones included until they are released; and as many timer pools.
    pub loops: u32,
}

impl Default for Limits {
    /// 65,536 handles, 64 loops.
    fn default() -> Limits {
        Limits { handles: 65_536, loops: 64 }
    }
}

/// All loops of one guest and the handles on them.
#[derive(Debug)]
pub struct Loops {
    pub(crate) limits: Limits,
    pub(crate) loops: Slab<Loop>,
    pub(crate) handles: Slab<Handle>,
    pub(crate) links: Links,
    pub(crate) watched_signals: Watched,
    pub(crate) sessions: Slab<Session>,
    /// How many timer pools there are.
    pub(crate) pools: u32,
    /// How many timer pools there have ever been.
    pub(crate) pools_made: u32,
    made: u64,
}

/// The state of one loop.
#[derive(Debug)]
pub(crate) struct Loop {
    pub now: u64,
    pub timers: Timers,
    pub watchers: WatcherLists,
    pub asyncs: AsyncLists,
    pub polls: Polls,
    pub signals: SignalQueue,
    /// Handles that wait for the next closing phase, last closed first.
    pub closing: Anchor,
    /// Those that the closing phase in progress has taken out.
    pub closing_now: Anchor,
    /// How many handles are active and referenced.
    pub active_referenced: usize,
    /// How many handles have not been called back as closed.
    pub open: usize,
    /// How many handles have their place, closed ones included.
    pub places: usize,
    pub stop: bool,
    pub closed: bool,
    pub released: bool,
    pub run: Option<Run>,
}

/// How many lists a loop has besides those of a wheel.
const LISTS: u32 = 14;

impl Loops {
    /// No loop and no handle yet.
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

    /// Makes a loop whose time begins at `now` milliseconds.
    pub fn make_loop(&mut self, now: u64) -> Result<LoopId, Error> {
        if self.loops.len() >= self.limits.loops as usize {
            return Err(Error::TooManyLoops);
        }
        let lists = self.links.new_anchors(LISTS);
        if self.loops.capacity() == 0 {
            // Most guests have one, and guests may be many.
            self.loops = Slab::with_capacity(1);
        }
        let at = self.loops.insert(Loop {
            now,
            timers: Timers::new(now, lists, lists.nth(13)),
            watchers: WatcherLists::new(lists.nth(1)),
            asyncs: AsyncLists::new(lists.nth(7)),
            polls: Polls::new(lists.nth(11)),
            signals: SignalQueue::new(lists.nth(12)),
            closing: lists.nth(9),
            closing_now: lists.nth(10),
            active_referenced: 0,
            open: 0,
            places: 0,
            stop: false,
            closed: false,
            released: false,
            run: None,
        });
        Ok(LoopId(at as u32))
    }

    /// Closes the loop, as uv_loop_close. Nothing happens if it is closed.
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

    /// Whether there is such a loop: it has not been given up and freed.
    pub fn has_loop(&self, id: LoopId) -> bool {
        self.loops.contains(id.at())
    }

    /// Whether the loop is closed.
    pub fn loop_closed(&self, id: LoopId) -> bool {
        self.state(id).closed
    }

    /// Gives up the loop: its handles are closed without being called back, a run of it ends, and with
    /// it the callback that is running, and its place is freed once its handles are released too.
    pub fn release_loop(&mut self, id: LoopId) {
        // No step follows that would end the callback in progress.
        self.after_callback(id);
        let handles: Vec<HandleId> = self.handles_of(id).map(|(_, handle)| handle).collect();
        for handle in handles {
            self.close_silently(handle);
        }
        let state = self.state_mut(id);
        state.closed = true;
        state.run = None;
        state.released = true;
        self.end_sessions_of(id);
        self.free_loop_if_unused(id);
    }

    /// The loop's time in milliseconds, as uv_now.
    pub fn now(&self, id: LoopId) -> Result<u64, Error> {
        self.open_state(id).map(|state| state.now)
    }

    /// Refreshes the loop's time, as uv_update_time. It never goes back.
    pub fn update_time(&mut self, id: LoopId, now: u64) -> Result<(), Error> {
        self.open_state(id)?;
        self.refresh_time(id, now);
        Ok(())
    }

    pub(crate) fn refresh_time(&mut self, id: LoopId, now: u64) {
        let state = self.state_mut(id);
        state.now = state.now.max(now);
    }

    /// Whether a run would have something to do, as uv_loop_alive.
    pub fn alive(&self, id: LoopId) -> bool {
        let state = self.state(id);
        !state.closed && (state.active_referenced > 0 || !self.links.is_empty(state.closing))
    }

    /// Ends the run after the iteration in progress, as uv_stop.
    pub fn stop(&mut self, id: LoopId) {
        let state = self.state_mut(id);
        state.stop |= !state.closed;
    }

    /// Whether the loop has been told to stop, and no run has ended by it yet.
    pub fn stopping(&self, id: LoopId) -> bool {
        self.state(id).stop
    }

    /// For how many milliseconds the next poll may wait, none for without limit, as
    /// uv_backend_timeout.
    pub fn poll_timeout(&mut self, id: LoopId) -> Result<Option<u32>, Error> {
        self.open_state(id)?;
        Ok(self.timeout(id))
    }

    /// The handles that have not been called back as closed, in order of making, as uv_walk.
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

    /// uv__handle_init: a new handle is referenced and not active.
    pub(crate) fn make(&mut self, owner: LoopId, token: u64, kind: Kind) -> Result<HandleId, Error> {
        self.open_state(owner)?;
        if self.handles.len() >= self.limits.handles as usize {
            return Err(Error::TooManyHandles);
        }
        let handle = self.new_handle(owner, token, kind);
        self.state_mut(owner).open += 1;
        Ok(self.give_place(handle))
    }

    /// Gives a handle a place, in which it is in no list. It does not count as open by that.
    pub(crate) fn give_place(&mut self, handle: Handle) -> HandleId {
        self.state_mut(handle.owner).places += 1;
        let at = self.handles.insert(handle) as u32;
        self.links.reset(at);
        HandleId::from_index(at)
    }

    /// Puts a new handle in the place of a closed one, which is in no list.
    pub(crate) fn make_in_place_of(&mut self, id: HandleId, token: u64, kind: Kind) {
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

    /// Frees the place of a handle that is closed and dropped.
    pub(crate) fn free_place(&mut self, id: HandleId) {
        let handle = self.handles.remove(id.index() as usize);
        self.state_mut(handle.owner).places -= 1;
        self.free_loop_if_unused(handle.owner);
    }

    fn free_loop_if_unused(&mut self, id: LoopId) {
        let state = self.state(id);
        if state.released && state.places == 0 {
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
        assert_eq!(world.loops.close_loop(world.main), Err(Error::Busy), "closing is not closed");
        world.run(RunMode::Default);
        assert_eq!(world.loops.close_loop(world.main), Ok(()));
        assert_eq!(world.loops.close_loop(world.main), Ok(()), "a second close is no error");
    }

    #[test]
    fn a_running_loop_is_busy() {
        let mut world = World::new();
        world.loops.begin(world.main, RunMode::Default).unwrap();
        assert_eq!(world.loops.close_loop(world.main), Err(Error::Busy));
    }

    #[test]
    fn a_closed_loop_refuses() {
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
    fn the_time_never_goes_back() {
        let mut world = World::new();
        world.loops.update_time(world.main, 100).unwrap();
        world.loops.update_time(world.main, 50).unwrap();
        assert_eq!(world.loops.now(world.main), Ok(100));
    }

    #[test]
    fn handles_are_listed_in_order_of_making_until_they_are_called_back_as_closed() {
        let mut world = World::new();
        let (a, b, c) = (world.timer(), world.timer(), world.timer());
        world.loops.close(b);
        assert_eq!(world.loops.handles(world.main), [a, b, c]);
        world.run(RunMode::NoWait);
        assert_eq!(world.loops.handles(world.main), [a, c]);
        world.loops.release(b);
        let d = world.timer();
        assert_eq!(d, b, "the place is used again");
        assert_eq!(world.loops.handles(world.main), [a, c, d]);
    }

    #[test]
    fn limits_are_errors() {
        let mut loops = Loops::new(Limits { handles: 2, loops: 2 });
        let (first, second) = (loops.make_loop(0).unwrap(), loops.make_loop(0).unwrap());
        assert_eq!(loops.make_loop(0), Err(Error::TooManyLoops));
        let timer = loops.make_timer(first, 0).unwrap();
        loops.make_timer(second, 0).unwrap();
        assert_eq!(loops.make_timer(first, 0), Err(Error::TooManyHandles));
        loops.release(timer);
        loops.make_timer(first, 0).unwrap();
        loops.release_loop(second);
        assert_eq!(loops.make_loop(0), Err(Error::TooManyLoops), "a handle still needs it");
    }

    #[test]
    fn a_released_loop_closes_its_handles_and_frees_its_place_after_them() {
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

    /// Begins a run and goes on to its first callback.
    fn first_callback(world: &mut World) -> HandleId {
        world.loops.begin(world.main, RunMode::Default).unwrap();
        loop {
            match world.loops.step(world.main, &mut || 0).unwrap() {
                Step::Deliver(event) => return event.handle,
                Step::Poll { .. } => world.loops.polled(world.main, 0),
                Step::Finished { .. } => panic!("something is due"),
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
    fn a_loop_that_is_released_in_a_close_callback_leaves_the_handle_closed() {
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
