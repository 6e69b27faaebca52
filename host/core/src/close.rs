//! Closing handles, and the closing phase of a run.

use crate::handle::Kind;
use crate::{HandleId, LoopId, Loops};

/// The stages of a handle's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Open,
    /// Closed by the guest; the handle waits for a closing phase.
    Closing,
    /// The close callback is running.
    Called,
    Closed,
}

impl Loops {
    /// Closes the handle (uv_close).
    ///
    /// The handle is inactive at once. Its close callback runs in a closing phase. The call has no
    /// effect on a handle that is closing or closed.
    pub fn close(&mut self, id: HandleId) {
        if self.handle(id).stage != Stage::Open {
            return;
        }
        self.stop_any(id);
        self.handle_mut(id).stage = Stage::Closing;
        let closing = self.state(self.handle(id).owner).closing;
        self.links.push_front(closing, id.index());
    }

    /// Returns whether the handle is closing or closed (uv_is_closing).
    pub fn handle_closing(&self, id: HandleId) -> bool {
        self.handle(id).stage != Stage::Open
    }

    /// Returns whether the handle is closed. That is so from the end of its close callback on.
    pub fn handle_closed(&self, id: HandleId) -> bool {
        self.handle(id).stage == Stage::Closed
    }

    /// Releases the handle.
    ///
    /// The handle is closed without a close callback, and its pending callbacks are dropped. Its
    /// slot is freed at once, or at the end of its callback if that is running.
    pub fn release(&mut self, id: HandleId) {
        self.close_silently(id);
        if self.is_running(id) {
            self.handle_mut(id).dropped = true;
        } else {
            self.free_slot(id);
        }
    }

    pub(crate) fn close_silently(&mut self, id: HandleId) {
        match self.handle(id).stage {
            Stage::Open => self.stop_any(id),
            Stage::Closing => self.links.unlink(id.index()),
            Stage::Called | Stage::Closed => return,
        }
        self.leave_loop(id, Stage::Closed);
    }

    /// Moves the handle to `stage` and ends its part in the loop's count of open handles
    /// (uv__finish_close).
    pub(crate) fn leave_loop(&mut self, id: HandleId, stage: Stage) {
        self.mark_referenced(id, false);
        let handle = &mut self.handles[id.index() as usize];
        handle.stage = stage;
        self.loops[handle.owner.at()].open -= 1;
    }

    fn stop_any(&mut self, id: HandleId) {
        match self.handle(id).kind {
            Kind::Timer { .. } => self.timer_stop(id),
            Kind::Watcher(_) => self.watcher_stop(id),
            Kind::Async { .. } => self.async_stop(id),
            Kind::Poll { .. } => self.poll_stop(id),
            Kind::Signal(_) => self.signal_stop(id),
        }
    }

    /// Moves the closing handles to the list of the closing phase that begins. From here on they do
    /// not keep the loop alive. Handles closed later wait for the next closing phase.
    pub(crate) fn take_closing(&mut self, id: LoopId) {
        let state = &self.loops[id.at()];
        self.links.move_all(state.closing, state.closing_now);
    }

    /// Moves handles that were taken but not called back to the next closing phase.
    pub(crate) fn put_back_closing(&mut self, id: LoopId) {
        let state = &self.loops[id.at()];
        self.links.append(state.closing_now, state.closing);
    }

    /// Returns the next handle of this closing phase. The handle closed last comes first.
    pub(crate) fn next_closing(&mut self, id: LoopId) -> Option<HandleId> {
        let handle = HandleId::from_index(self.links.pop_front(self.state(id).closing_now)?);
        self.leave_loop(handle, Stage::Called);
        Some(handle)
    }
}

#[cfg(test)]
mod tests {
    use crate::RunMode;
    use crate::testing::*;

    #[test]
    fn close_deactivates_at_once_and_calls_back_in_the_closing_phase() {
        let mut world = World::new();
        let idle = world.started_idle();
        world.loops.close(idle);
        assert!(world.loops.handle_closing(idle) && !world.loops.handle_closed(idle));
        assert!(!world.loops.active(idle));
        assert!(world.trace().is_empty());
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [close(idle)]);
        assert!(world.loops.handle_closed(idle));
    }

    #[test]
    fn close_callbacks_run_in_reverse_order_of_close() {
        let mut world = World::new();
        let [a, b, c] = [(); 3].map(|()| world.timer());
        for handle in [b, a, c] {
            world.loops.close(handle);
        }
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [close(c), close(a), close(b)]);
    }

    #[test]
    fn a_handle_closed_in_a_close_callback_waits_for_the_next_iteration() {
        let mut world = World::new();
        let (a, b) = (world.timer(), world.timer());
        world.loops.close(a);
        world.on(close(a), move |world| {
            assert!(!world.alive(), "handles of the phase in progress do not count");
            world.loops.close(b);
        });
        assert!(world.run(RunMode::NoWait));
        assert_eq!(world.trace(), [close(a)]);
        assert!(!world.run(RunMode::NoWait));
        assert_eq!(world.trace(), [close(b)]);
    }

    #[test]
    fn a_second_close_does_nothing() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.close(timer);
        world.loops.close(timer);
        world.run(RunMode::Default);
        world.loops.close(timer);
        assert!(!world.alive());
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [close(timer)]);
    }

    #[test]
    fn a_handle_is_closed_once_its_close_callback_has_returned() {
        let mut world = World::new();
        let (first, second) = (world.timer(), world.timer());
        world.loops.close(second);
        world.loops.close(first);
        world.on(close(first), move |world| {
            assert!(!world.loops.handle_closed(first) && !world.loops.referenced(first));
        });
        world.on(close(second), move |world| assert!(world.loops.handle_closed(first)));
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [close(first), close(second)]);
    }

    #[test]
    fn a_closing_handle_keeps_the_loop_alive_even_if_it_is_not_referenced() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.dereference(timer).unwrap();
        world.loops.close(timer);
        assert!(world.alive());
        assert_eq!(world.loops.poll_timeout(world.main), Ok(Some(0)));
    }

    #[test]
    fn release_drops_pending_callbacks() {
        let mut world = World::new();
        let [a, b, c] = [(); 3].map(|()| world.timer());
        for timer in [a, b] {
            world.loops.timer_start(timer, 0, 0).unwrap();
        }
        world.on(call(a), move |world| {
            world.loops.release(b);
            world.loops.close(c);
            world.loops.release(c);
            assert!(!world.alive());
        });
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [call(a)]);
    }

    #[test]
    fn a_handle_can_be_released_in_its_own_callbacks() {
        let mut world = World::new();
        let (timer, closed) = (world.timer(), world.timer());
        world.loops.timer_start(timer, 0, 5).unwrap();
        world.loops.close(closed);
        world.on(call(timer), move |world| {
            world.loops.release(timer);
            let other = world.timer();
            assert_ne!(other, timer, "the slot is in use until the callback returns");
        });
        world.on(close(closed), move |world| world.loops.release(closed));
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [call(timer), close(closed)]);
        assert_eq!(world.loops.handles.len(), 1);
    }
}
