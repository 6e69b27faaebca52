//! State and functions common to all handles: libuv's `uv_handle_t`.

use crate::close::Stage;
use crate::poll::{PollEvents, PollState, SourceId};
use crate::signal::SignalState;
use crate::timer_pool::PoolId;
use crate::watcher::WatcherKind;
use crate::{Error, LoopId, Loops};

/// The id of a handle of a [`Loops`].
///
/// It is valid until [`Loops::release`]. The number of a released handle is reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandleId(u32);

impl HandleId {
    /// Returns the number of the id. Numbers are dense and start at 0, so that one can serve as an
    /// index or as the representation of a resource.
    pub fn index(self) -> u32 {
        self.0
    }

    /// Returns the id with this number. Only a number from [`HandleId::index`] names a handle.
    pub fn from_index(index: u32) -> HandleId {
        HandleId(index)
    }
}

/// A callback that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The handle.
    pub handle: HandleId,
    /// The token that the guest chose for the handle.
    pub token: u64,
    /// The callback of the handle, with its arguments.
    pub what: Occurrence,
}

/// A kind of callback, with its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    /// The callback of a timer, idle, prepare, check or async handle.
    Callback,
    /// The callback of a poll handle: the ready events, or the error that stopped the handle.
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
    /// The number of handles that the guest had made, this one included. It orders handles by
    /// creation, and distinguishes a handle from an earlier one in the same slot.
    pub made: u64,
    pub owner: LoopId,
    pub active: bool,
    pub referenced: bool,
    pub stage: Stage,
    /// The guest has dropped the resource. The slot is freed after the running callback.
    pub dropped: bool,
    pub kind: Kind,
}

/// The kind of a handle, with the state that only this kind has.
///
/// A timer's deadline is in its node of [`Links`](crate::links::Links). The size is at most two
/// words, because a guest may have very many handles.
#[derive(Debug)]
pub(crate) enum Kind {
    Timer {
        repeat: u64,
        ever_started: bool,
        /// The pool that the timer was allocated from, if any.
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
    /// Returns the loop that the handle was made on.
    pub fn loop_of(&self, id: HandleId) -> LoopId {
        self.handle(id).owner
    }

    /// Returns the token that the guest chose.
    pub fn token(&self, id: HandleId) -> u64 {
        self.handle(id).token
    }

    /// Returns whether the handle is active (uv_is_active).
    pub fn active(&self, id: HandleId) -> bool {
        self.handle(id).active
    }

    /// Returns whether the handle is referenced (uv_has_ref). A closed handle is not.
    pub fn referenced(&self, id: HandleId) -> bool {
        self.handle(id).referenced
    }

    /// References the handle, so that it keeps its loop alive while active (uv_ref).
    pub fn reference(&mut self, id: HandleId) -> Result<(), Error> {
        self.set_referenced(id, true)
    }

    /// Unreferences the handle, so that the loop can end while it is active (uv_unref).
    pub fn dereference(&mut self, id: HandleId) -> Result<(), Error> {
        self.set_referenced(id, false)
    }

    /// Returns an error if the handle is closing or closed.
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

    /// Sets the reference flag and updates the loop's count (uv__handle_ref, uv__handle_unref).
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

    /// Sets the active flag and updates the loop's count (uv__handle_start, uv__handle_stop).
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

    /// Returns the handle if its slot still holds the one that was made as number `made`.
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
    fn a_handle_is_at_most_40_bytes() {
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
        let handle = world.async_handle();
        assert!(world.loops.active(handle));
        world.loops.close(handle);
        assert!(!world.loops.active(handle));
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
    fn an_unreferenced_handle_is_called_but_does_not_keep_the_loop_alive() {
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
    fn a_closing_handle_cannot_be_referenced() {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.close(timer);
        assert_eq!(world.loops.reference(timer), Err(Error::HandleClosed));
        assert_eq!(world.loops.dereference(timer), Err(Error::HandleClosed));
    }
}
