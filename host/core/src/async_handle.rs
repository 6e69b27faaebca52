//! Async handles, as libuv's async.c.
//!
//! A send marks the handle and wakes the loop. One pass in the poll phase calls all marked handles.
//!
//! The driver receives sends from other threads. It calls [`Loops::async_send`] for them at the
//! latest before the poll and before each step. A send therefore counts as pending until the
//! callback begins.

use crate::handle::Kind;
use crate::links::Anchor;
use crate::{Error, HandleId, LoopId, Loops};

/// The async handles of a loop.
#[derive(Debug)]
pub(crate) struct AsyncLists {
    /// All handles except the unvisited ones.
    all: Anchor,
    /// The handles that the pass in progress has not visited yet.
    unvisited: Anchor,
    /// A send has happened since the last pass began. The flag stays set if the handle is closed,
    /// so the poll ends early, as libuv's does after a write to its eventfd.
    woken: bool,
}

impl AsyncLists {
    /// Uses two lists from `first` on.
    pub(crate) fn new(first: Anchor) -> AsyncLists {
        AsyncLists { all: first, unvisited: first.nth(1), woken: false }
    }

    pub(crate) fn unvisited(&self) -> Anchor {
        self.unvisited
    }

    pub(crate) fn woken(&self) -> bool {
        self.woken
    }
}

impl Loops {
    /// Makes an async handle, which is active at once (uv_async_init).
    pub fn make_async(&mut self, owner: LoopId, token: u64) -> Result<HandleId, Error> {
        let id = self.make(owner, token, Kind::Async { pending: false })?;
        let all = self.state(owner).asyncs.all;
        self.links.push_back(all, id.index());
        self.mark_active(id, true);
        Ok(id)
    }

    /// Makes the callback due (uv_async_send).
    pub fn async_send(&mut self, id: HandleId) -> Result<(), Error> {
        self.check_open(id)?;
        let handle = &mut self.handles[id.index() as usize];
        let Kind::Async { pending } = &mut handle.kind else {
            return Err(Error::Invalid);
        };
        if !std::mem::replace(pending, true) {
            self.loops[handle.owner.at()].asyncs.woken = true;
        }
        Ok(())
    }

    pub(crate) fn async_stop(&mut self, id: HandleId) {
        self.links.unlink(id.index());
        self.mark_active(id, false);
    }

    /// Begins a pass over the async handles if a send has woken the loop (uv__async_io).
    pub(crate) fn take_asyncs(&mut self, id: LoopId) {
        let lists = &mut self.loops[id.at()].asyncs;
        if std::mem::take(&mut lists.woken) {
            self.links.move_all(lists.all, lists.unvisited);
        }
    }

    /// Leaves the rest of a pass to the next one.
    pub(crate) fn put_back_asyncs(&mut self, id: LoopId) {
        let lists = &mut self.loops[id.at()].asyncs;
        if !self.links.is_empty(lists.unvisited) {
            lists.woken = true;
            self.links.append(lists.unvisited, lists.all);
        }
    }

    /// Continues the pass to the next marked handle.
    pub(crate) fn next_async(&mut self, id: LoopId) -> Option<HandleId> {
        let lists = &self.loops[id.at()].asyncs;
        while let Some(slot) = self.links.rotate(lists.unvisited, lists.all) {
            if let Kind::Async { pending } = &mut self.handles[slot as usize].kind
                && std::mem::take(pending)
            {
                return Some(HandleId::from_index(slot));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::*;
    use crate::{Error, RunMode};

    #[test]
    fn sends_before_the_callback_coalesce() {
        let mut world = World::new();
        let wake_up = world.async_handle();
        for _ in 0..3 {
            world.loops.async_send(wake_up).unwrap();
        }
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [call(wake_up)]);
        world.run(RunMode::NoWait);
        assert!(world.trace().is_empty());
    }

    #[test]
    fn a_send_inside_the_callback_causes_another_one() {
        let mut world = World::new();
        let wake_up = world.async_handle();
        world.loops.async_send(wake_up).unwrap();
        world.on(call(wake_up), move |world| world.loops.async_send(wake_up).unwrap());
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [call(wake_up)]);
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [call(wake_up)]);
    }

    #[test]
    fn a_pass_visits_handles_in_order_of_creation() {
        let mut world = World::new();
        let [a, b, c] = [(); 3].map(|()| world.async_handle());
        for handle in [c, a, b] {
            world.loops.async_send(handle).unwrap();
        }
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [call(a), call(b), call(c)]);
    }

    #[test]
    fn a_send_to_an_unvisited_handle_is_delivered_in_the_same_pass() {
        let mut world = World::new();
        let [a, b, c] = [(); 3].map(|()| world.async_handle());
        world.loops.async_send(b).unwrap();
        world.on(call(b), move |world| {
            world.loops.async_send(c).unwrap();
            world.loops.async_send(a).unwrap();
        });
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [call(b), call(c)]);
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [call(a)]);
    }

    #[test]
    fn a_handle_made_during_a_pass_comes_after_those_visited() {
        let mut world = World::new();
        let [a, b] = [(); 2].map(|()| world.async_handle());
        world.loops.async_send(a).unwrap();
        world.on(call(a), move |world| {
            let c = world.async_handle();
            for handle in [a, b, c] {
                world.loops.async_send(handle).unwrap();
            }
        });
        world.run(RunMode::Once);
        assert_eq!(world.trace(), [call(a), call(b)]);
        world.run(RunMode::Once);
        let c = world.loops.handles(world.main)[2];
        assert_eq!(world.trace(), [call(a), call(c)]);
    }

    #[test]
    fn a_pending_send_of_a_closed_handle_is_not_delivered_but_ends_the_poll() {
        let mut world = World::new();
        let (wake_up, timer) = (world.async_handle(), world.timer());
        world.loops.timer_start(timer, 100, 0).unwrap();
        world.loops.async_send(wake_up).unwrap();
        world.loops.close(wake_up);
        assert_eq!(world.loops.async_send(wake_up), Err(Error::HandleClosed));
        world.run(RunMode::NoWait);
        assert_eq!(world.trace(), [close(wake_up)]);
    }

    #[test]
    fn a_send_keeps_the_poll_from_blocking() {
        let mut world = World::new();
        let wake_up = world.async_handle();
        world.loops.async_send(wake_up).unwrap();
        world.run(RunMode::Once);
        assert_eq!(world.polls, [Some(0)]);
    }
}
