//! What all kinds of handles have in common: libuv's base class `uv_handle_t`.

use crate::close::Stage;
use crate::poll::{PollEvents, PollState, SourceId};
use crate::signal::SignalState;
use crate::timer_pool::PoolId;
use crate::watcher::WatcherKind;
use crate::{Error, LoopId, Loops};

/// A handle of a [`Loops`]. Valid until [`Loops::release`]; the number of a released handle is
/// given to another one later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HandleId(u32);

impl HandleId {
    /// The number behind the id: dense, from 0 on, so that it can serve as an index or as the
    /// representation of a resource.
    pub fn index(self) -> u32 {
        self.0
    }

    /// The id with this number. Only a number that [`HandleId::index`] gave names a handle.
    pub fn from_index(index: u32) -> HandleId {
        HandleId(index)
    }
}

/// A callback that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The handle.
    pub handle: HandleId,
    /// The token that the guest chose for it.
    pub token: u64,
    /// Which of its callbacks, with the arguments.
    pub what: Occurrence,
}

/// Which callback of a handle is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    /// The callback of a timer, idle, prepare, check or async handle.
    Callback,
    /// The callback of a poll handle: what is ready, or the error that stopped it.
    Poll(Result<PollEvents, Error>),
    /// The callback of a signal handle.
    Signal(i32),
    /// The close callback.
    Closed,
}

/// The state of one handle.
#[derive(Debug)]
pub(crate) struct Handle {
    pub token: u64,
    /// Counts all handles of the guest, so it orders them by making and tells a handle from an
    /// earlier one in the same place.
    pub made: u64,
    pub owner: LoopId,
    pub active: bool,
    pub referenced: bool,
    pub stage: Stage,
    /// The guest has dropped the resource; the place is freed as soon as nothing needs it.
    pub dropped: bool,
    pub kind: Kind,
}

/// What a handle is, with the state that only its kind has. A timer's deadline is in its node. Two words at most, because a
/// guest may have very many handles.
#[derive(Debug)]
pub(crate) enum Kind {
    Timer {
        repeat: u64,
        ever_started: bool,
        /// The pool that it was allocated from, if any.
        pool: Option<PoolId>,
    },
    Watcher(WatcherKind),
    Async {
        pending: bool,
    },
    Poll {
        source: SourceId,
        state: PollState,
    },
    Signal(SignalState),
}

impl Loops {
    /// The loop that the handle was made on.
    pub fn loop_of(&self, id: HandleId) -> LoopId {
        self.handle(id).owner
    }

    /// The token that the guest chose.
    pub fn token(&self, id: HandleId) -> u64 {
        self.handle(id).token
    }

    /// Whether the handle is started, as uv_is_active.
    pub fn active(&self, id: HandleId) -> bool {
        self.handle(id).active
    }

    /// Whether the handle keeps its loop alive while active, as uv_has_ref. False once closed.
    pub fn referenced(&self, id: HandleId) -> bool {
        self.handle(id).referenced
    }

    /// Makes the handle keep its loop alive, as uv_ref.
    pub fn reference(&mut self, id: HandleId) -> Result<(), Error> {
        self.set_referenced(id, true)
    }

    /// Lets the loop end although the handle is active, as uv_unref.
    pub fn dereference(&mut self, id: HandleId) -> Result<(), Error> {
        self.set_referenced(id, false)
    }

    /// Refuses what libuv forbids on a closing handle.
    pub fn check_open(&self, id: HandleId) -> Result<(), Error> {
        match self.handle(id).stage {
            Stage::Open => Ok(()),
            _ => Err(Error::HandleClosed),
        }
    }

    fn set_referenced(&mut self, id: HandleId, referenced: bool) -> Result<(), Error> {
        self.check_open(id)?;
        self.mark_referenced(id, referenced);
        Ok(())
    }

    /// uv__handle_ref and uv__handle_unref: keeps the loop's count of what keeps it alive.
    pub(crate) fn mark_referenced(&mut self, id: HandleId, referenced: bool) {
        let handle = &mut self.handles[id.0 as usize];
        if handle.referenced == referenced {
            return;
        }
        handle.referenced = referenced;
        if handle.active {
            let count = &mut self.loops[handle.owner.at()].active_referenced;
            *count = if referenced { *count + 1 } else { *count - 1 };
        }
    }

    /// uv__handle_start and uv__handle_stop: the same for being active.
    pub(crate) fn mark_active(&mut self, id: HandleId, active: bool) {
        let handle = &mut self.handles[id.0 as usize];
        if handle.active == active {
            return;
        }
        handle.active = active;
        if handle.referenced {
            let count = &mut self.loops[handle.owner.at()].active_referenced;
            *count = if active { *count + 1 } else { *count - 1 };
        }
    }

    #[inline(always)]
    pub(crate) fn handle(&self, id: HandleId) -> &Handle {
        &self.handles[id.0 as usize]
    }

    #[inline(always)]
    pub(crate) fn handle_mut(&mut self, id: HandleId) -> &mut Handle {
        &mut self.handles[id.0 as usize]
    }

    /// The handle, if it is still the one that was made as number `made`.
    pub(crate) fn still(&self, id: HandleId, made: u64) -> Option<&Handle> {
        self.handles.get(id.0 as usize).filter(|handle| handle.made == made)
    }
}

#[cfg(test)]
mod tests {
    use super::{Handle, Kind};
    use crate::testing::*;
    use crate::{Error, RunMode};

    #[test]
    fn a_handle_is_small() {
        assert!(size_of::<Kind>() <= 16 && size_of::<Handle>() <= 40);
    }

    #[test]
    fn a_new_handle_is_referenced_and_not_active() {
        let mut world = World::new();
        let timer = world.timer();
        assert!(world.loops.referenced(timer) && !world.loops.active(timer));
    }

    #[test]
    fn an_async_handle_is_active_until_it_is_closed() {
        let mut world = World::new();
        let wake_up = world.async_handle();
        assert!(world.loops.active(wake_up));
        world.loops.close(wake_up);
        assert!(!world.loops.active(wake_up));
    }

    #[test]
    fn references_are_idempotent() {
        let mut world = World::new();
        let idle = world.started_idle();
        assert!(world.alive());
        for _ in 0..2 {
            world.loops.dereference(idle).unwrap();
            assert!(!world.alive());
        }
        for _ in 0..2 {
            world.loops.reference(idle).unwrap();
            assert!(world.alive());
        }
    }

    #[test]
    fn an_unreferenced_active_handle_works_but_does_not_keep_the_loop_alive() {
        let mut world = World::new();
        let (idle, timer) = (world.started_idle(), world.timer());
        world.loops.dereference(idle).unwrap();
        world.loops.timer_start(timer, 0, 0).unwrap();
        assert!(!world.run(RunMode::Once));
        assert_eq!(world.trace(), [call(idle), call(timer)]);
    }

    #[test]
    fn a_dereferenced_handle_can_be_started_and_stopped() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.dereference(timer).unwrap();
        world.loops.timer_start(timer, 10, 0).unwrap();
        assert!(!world.alive());
        world.loops.reference(timer).unwrap();
        assert!(world.alive());
        world.loops.timer_stop(timer);
        assert!(!world.alive());
    }

    #[test]
    fn a_closing_handle_can_not_be_referenced() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.close(timer);
        assert_eq!(world.loops.reference(timer), Err(Error::HandleClosed));
        assert_eq!(world.loops.dereference(timer), Err(Error::HandleClosed));
    }
}
