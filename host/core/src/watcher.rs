//! Idle, prepare and check handles, as libuv's loop-watcher.c.
//!
//! The three kinds differ only in the phase that calls them.

use crate::handle::Kind;
use crate::links::Anchor;
use crate::{Error, HandleId, LoopId, Loops};

/// The kind of a watcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WatcherKind {
    Idle,
    Prepare,
    Check,
}

/// The watcher lists of a loop. For each kind: the active handles, and those that the phase in
/// progress has taken and not called yet.
#[derive(Debug)]
pub(crate) struct WatcherLists {
    first: Anchor,
}

impl WatcherLists {
    /// Uses six lists from `first` on.
    pub(crate) fn new(first: Anchor) -> WatcherLists {
        WatcherLists { first }
    }

    pub(crate) fn active(&self, kind: WatcherKind) -> Anchor {
        self.first.nth(kind as u32 * 2)
    }

    /// Returns the list of handles that the phase in progress has taken and not called yet.
    pub(crate) fn due(&self, kind: WatcherKind) -> Anchor {
        self.first.nth(kind as u32 * 2 + 1)
    }
}

impl Loops {
    /// Makes an idle handle (uv_idle_init).
    pub fn make_idle(&mut self, owner: LoopId, token: u64) -> Result<HandleId, Error> {
        self.make(owner, token, Kind::Watcher(WatcherKind::Idle))
    }

    /// Makes a prepare handle (uv_prepare_init).
    pub fn make_prepare(&mut self, owner: LoopId, token: u64) -> Result<HandleId, Error> {
        self.make(owner, token, Kind::Watcher(WatcherKind::Prepare))
    }

    /// Makes a check handle (uv_check_init).
    pub fn make_check(&mut self, owner: LoopId, token: u64) -> Result<HandleId, Error> {
        self.make(owner, token, Kind::Watcher(WatcherKind::Check))
    }

    /// Starts an idle, prepare or check handle (uv_idle_start). It becomes the first of its list.
    /// The call has no effect on an active handle.
    pub fn watcher_start(&mut self, id: HandleId) -> Result<(), Error> {
        self.check_open(id)?;
        let handle = self.handle(id);
        let Kind::Watcher(kind) = handle.kind else {
            return Err(Error::Invalid);
        };
        if !handle.active {
            let front = self.state(handle.owner).watchers.active(kind);
            self.links.push_front(front, id.index());
            self.mark_active(id, true);
        }
        Ok(())
    }

    /// Stops an idle, prepare or check handle (uv_idle_stop).
    pub fn watcher_stop(&mut self, id: HandleId) {
        if self.handle(id).active {
            self.links.unlink(id.index());
            self.mark_active(id, false);
        }
    }

    /// Takes all active handles of the kind before the first of them is called. Returns whether
    /// there are any.
    #[inline]
    pub(crate) fn take_watchers(&mut self, id: LoopId, kind: WatcherKind) -> bool {
        let lists = &self.loops[id.at()].watchers;
        self.links.move_all(lists.active(kind), lists.due(kind))
    }

    /// Moves handles that were taken and not called back to the front of the active ones.
    pub(crate) fn put_back_watchers(&mut self, id: LoopId) {
        let lists = &self.loops[id.at()].watchers;
        for kind in [WatcherKind::Idle, WatcherKind::Prepare, WatcherKind::Check] {
            self.links.append(lists.active(kind), lists.due(kind));
            self.links.append(lists.due(kind), lists.active(kind));
        }
    }

    /// Returns the next handle that was taken, and moves it to the back of the active ones.
    #[inline]
    pub(crate) fn next_watcher(&mut self, id: LoopId, kind: WatcherKind) -> Option<HandleId> {
        let lists = &self.loops[id.at()].watchers;
        let slot = self.links.rotate(lists.due(kind), lists.active(kind))?;
        Some(HandleId::from_index(slot))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::*;
    use crate::{Error, HandleId, RunMode};

    fn three_idles(world: &mut World) -> [HandleId; 3] {
        [(); 3].map(|()| world.started_idle())
    }

    #[test]
    fn watchers_run_in_reverse_order_of_start_in_every_iteration() {
        let mut world = World::new();
        let [a, b, c] = three_idles(&mut world);
        for _ in 0..3 {
            world.run(RunMode::NoWait);
            assert_eq!(world.trace(), [call(c), call(b), call(a)]);
        }
    }

    #[test]
    fn starting_an_active_watcher_does_not_move_it() {
        let mut world = World::new();
        let [a, b, c] = three_idles(&mut world);
        world.loops.watcher_start(a).unwrap();
        world.run(RunMode::NoWait);
        assert_eq!(world.trace(), [call(c), call(b), call(a)]);
    }

    #[test]
    fn a_watcher_restarted_in_the_phase_runs_first_in_the_next_iteration() {
        let mut world = World::new();
        let [a, b, c] = three_idles(&mut world);
        world.on(call(c), move |world| {
            world.loops.watcher_stop(a);
            world.loops.watcher_start(a).unwrap();
        });
        world.run(RunMode::NoWait);
        assert_eq!(world.trace(), [call(c), call(b)]);
        world.run(RunMode::NoWait);
        assert_eq!(world.trace(), [call(a), call(c), call(b)]);
    }

    #[test]
    fn a_watcher_stopped_in_the_phase_is_not_called() {
        let mut world = World::new();
        let [a, b, c] = three_idles(&mut world);
        world.on(call(c), move |world| world.loops.watcher_stop(b));
        world.run(RunMode::NoWait);
        assert_eq!(world.trace(), [call(c), call(a)]);
    }

    #[test]
    fn a_watcher_first_started_in_the_phase_waits_for_the_next_iteration() {
        let mut world = World::new();
        let a = world.started_idle();
        let b = world.loops.make_idle(world.main, 0).unwrap();
        world.on(call(a), move |world| world.loops.watcher_start(b).unwrap());
        world.run(RunMode::NoWait);
        assert_eq!(world.trace(), [call(a)]);
        world.run(RunMode::NoWait);
        assert_eq!(world.trace(), [call(b), call(a)]);
    }

    #[test]
    fn idle_prepare_and_check_run_in_this_order() {
        let mut world = World::new();
        let check = world.loops.make_check(world.main, 0).unwrap();
        let prepare = world.loops.make_prepare(world.main, 0).unwrap();
        let idle = world.loops.make_idle(world.main, 0).unwrap();
        for handle in [check, prepare, idle] {
            world.loops.watcher_start(handle).unwrap();
        }
        world.run(RunMode::NoWait);
        assert_eq!(world.trace(), [call(idle), call(prepare), call(check)]);
    }

    #[test]
    fn an_active_idle_handle_keeps_the_loop_from_waiting() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_start(timer, 50, 0).unwrap();
        assert_eq!(world.loops.poll_timeout(world.main), Ok(Some(50)));
        let idle = world.started_idle();
        assert_eq!(world.loops.poll_timeout(world.main), Ok(Some(0)));
        world.loops.watcher_stop(idle);
        assert_eq!(world.loops.poll_timeout(world.main), Ok(Some(50)));
    }

    #[test]
    fn starting_a_closing_watcher_is_refused() {
        let mut world = World::new();
        let idle = world.started_idle();
        world.loops.close(idle);
        assert_eq!(world.loops.watcher_start(idle), Err(Error::HandleClosed));
        world.loops.watcher_stop(idle);
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [close(idle)]);
    }
}
