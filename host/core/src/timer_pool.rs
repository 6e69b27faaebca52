//! Timer pools: timers allocated ahead and operated on by number.
//!
//! An operation by number returns nothing, so a guest can queue it. This saves most calls of a
//! guest that uses timers.

use crate::close::Stage;
use crate::handle::{Handle, Kind};
use crate::{Error, HandleId, LoopId, Loops};
use std::num::NonZeroU32;

/// The id of a timer pool: the right to operate on the timers allocated from it, by number.
///
/// A timer's number is the [index](HandleId::index) of its id. No two pools have the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolId(NonZeroU32);

impl PoolId {
    /// Returns the number of the id.
    pub fn index(self) -> u32 {
        self.0.get()
    }

    /// Returns the id with this number, `None` for 0. Only a number from [`PoolId::index`] names a
    /// pool.
    pub fn from_index(index: u32) -> Option<PoolId> {
        NonZeroU32::new(index).map(PoolId)
    }
}

/// An entry of a guest's command buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The position in its batch of the callback that made the change. Unused outside of a batch.
    pub position: u32,
    /// The operation.
    pub operation: Operation,
}

/// The operation of a [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// An operation on the timer with this number in the guest's pool.
    Timer(u32, TimerChange),
    /// Closes the handle whose callback made the change.
    CloseOwn,
}

/// An operation on one timer. It has no effect on a timer in a state that it does not apply to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerChange {
    /// Opens a closed timer as a new handle (uv_timer_init).
    Open {
        /// The token of the new handle.
        token: u64,
    },
    /// Opens a closed timer as a new handle and starts it.
    OpenAndStart {
        /// The token of the new handle.
        token: u64,
        /// The timeout in milliseconds.
        timeout: u64,
        /// The repeat in milliseconds; 0 for none.
        repeat: u64,
    },
    /// As [`Loops::timer_start`].
    Start {
        /// The timeout in milliseconds.
        timeout: u64,
        /// The repeat in milliseconds; 0 for none.
        repeat: u64,
    },
    /// As [`Loops::timer_stop`].
    Stop,
    /// As [`Loops::close`].
    Close,
}

impl Loops {
    /// Makes an empty pool.
    ///
    /// Returns `TooManyHandles` when there are as many pools as loops may exist, and once 2^32 - 1
    /// pools have been made.
    pub fn make_pool(&mut self) -> Result<PoolId, Error> {
        if self.pools >= self.limits.loops {
            return Err(Error::TooManyHandles);
        }
        self.pools_made = self.pools_made.checked_add(1).ok_or(Error::TooManyHandles)?;
        self.pools += 1;
        PoolId::from_index(self.pools_made).ok_or(Error::TooManyHandles)
    }

    /// Releases a pool. Its timers stay, but can no longer be operated on by number.
    pub fn release_pool(&mut self, _: PoolId) {
        self.pools -= 1;
    }

    /// Allocates closed timers: `count` of them or as many as the limit allows, and at least one.
    /// Returns an error if there is no room for one.
    pub fn allocate_timers(
        &mut self,
        pool: PoolId,
        owner: LoopId,
        count: usize,
    ) -> Result<Vec<HandleId>, Error> {
        self.open_state(owner)?;
        let room = (self.limits.handles as usize).saturating_sub(self.handles.len());
        if room == 0 {
            return Err(Error::TooManyHandles);
        }
        let timers = (0..count.clamp(1, room)).map(|_| {
            let kind = Kind::Timer { repeat: 0, ever_started: false, pool: Some(pool) };
            let open = self.new_handle(owner, 0, kind);
            self.insert_handle(Handle { referenced: false, stage: Stage::Closed, ..open })
        });
        Ok(timers.collect())
    }

    /// Performs an operation on the timer with this number. It has no effect on a handle that is
    /// not a timer of this pool.
    pub fn change_timer(&mut self, pool: PoolId, number: u32, change: TimerChange) {
        let id = HandleId::from_index(number);
        let is_of_pool = |handle: &Handle| {
            // A timer released in its own callback still has its slot.
            !handle.dropped && matches!(handle.kind, Kind::Timer { pool: Some(own), .. } if own == pool)
        };
        if !self.handles.get(number as usize).is_some_and(is_of_pool) {
            return;
        }
        match change {
            TimerChange::Open { token } => {
                self.open_timer(pool, id, token);
            }
            TimerChange::OpenAndStart { token, timeout, repeat } => {
                if self.open_timer(pool, id, token) {
                    self.start_stopped_timer(id, timeout, repeat);
                }
            }
            // A closed timer refuses, which has no effect here.
            TimerChange::Start { timeout, repeat } => drop(self.timer_start(id, timeout, repeat)),
            TimerChange::Stop => self.timer_stop(id),
            TimerChange::Close => self.close(id),
        }
    }

    /// Opens a closed timer. Returns whether the timer was closed.
    fn open_timer(&mut self, pool: PoolId, id: HandleId, token: u64) -> bool {
        let handle = self.handle(id);
        let is_closed = handle.stage == Stage::Closed && !self.state(handle.owner).closed;
        if is_closed {
            let kind = Kind::Timer { repeat: 0, ever_started: false, pool: Some(pool) };
            self.reuse_slot(id, token, kind);
        }
        is_closed
    }
}

#[cfg(test)]
mod tests {
    use super::TimerChange::{Close, Open, OpenAndStart, Start, Stop};
    use crate::testing::*;
    use crate::{Error, Limits, Loops, RunMode};

    #[test]
    fn open_and_start_has_no_effect_on_an_open_timer() {
        let mut world = World::new();
        let pool = world.loops.make_pool().unwrap();
        let [timer] = world.loops.allocate_timers(pool, world.main, 1).unwrap()[..] else {
            panic!("one timer")
        };
        world.loops.change_timer(pool, timer.index(), OpenAndStart { token: 9, timeout: 3, repeat: 2 });
        assert_eq!((world.loops.token(timer), world.loops.timer_repeat(timer)), (9, Ok(2)));
        assert_eq!(world.loops.timer_due_in(timer), Ok(3));
        world.loops.change_timer(pool, timer.index(), OpenAndStart { token: 8, timeout: 1, repeat: 0 });
        assert_eq!((world.loops.token(timer), world.loops.timer_due_in(timer)), (9, Ok(3)));
    }

    #[test]
    fn a_pooled_timer_is_closed_until_it_is_opened() {
        let mut world = World::new();
        let (main, pool) = (world.main, world.loops.make_pool().unwrap());
        let [first, second] = world.loops.allocate_timers(pool, main, 2).unwrap()[..] else {
            panic!("two timers")
        };
        assert!(world.loops.handle_closed(first) && world.loops.handles(main).is_empty());
        assert_eq!(world.loops.timer_start(first, 1, 0), Err(Error::HandleClosed));
        world.loops.change_timer(pool, first.index(), Start { timeout: 1, repeat: 0 });
        world.loops.change_timer(pool, first.index(), Stop);
        assert!(!world.alive());
        world.loops.change_timer(pool, second.index(), Open { token: 9 });
        world.loops.change_timer(pool, first.index(), Open { token: 8 });
        assert_eq!(world.loops.handles(main), [second, first], "in order of opening");
        assert_eq!((world.loops.token(second), world.loops.referenced(second)), (9, true));
        assert_eq!(world.loops.timer_again(second), Err(Error::Invalid), "the timer has never been started");
        world.loops.change_timer(pool, second.index(), Start { timeout: 3, repeat: 0 });
        world.loops.change_timer(pool, first.index(), Start { timeout: 3, repeat: 0 });
        world.loops.change_timer(pool, first.index(), Close);
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [close(first), call(second)]);
        assert_eq!(world.loops.close_loop(main), Err(Error::Busy), "the second timer is open");
    }

    #[test]
    fn a_timer_can_be_reopened_only_once_it_is_closed() {
        let mut world = World::new();
        let pool = world.loops.make_pool().unwrap();
        let [timer] = world.loops.allocate_timers(pool, world.main, 1).unwrap()[..] else {
            panic!("one timer")
        };
        world.loops.change_timer(pool, timer.index(), OpenAndStart { token: 0, timeout: 5, repeat: 5 });
        world.loops.dereference(timer).unwrap();
        world.loops.change_timer(pool, timer.index(), Open { token: 1 });
        assert!(world.loops.active(timer), "the timer was open");
        world.loops.close(timer);
        world.loops.change_timer(pool, timer.index(), Open { token: 2 });
        assert!(world.loops.handle_closing(timer));
        world.on(close(timer), move |world| world.loops.change_timer(pool, timer.index(), Open { token: 3 }));
        world.run(RunMode::NoWait);
        assert!(world.loops.handle_closed(timer), "the close callback had not returned");
        world.loops.change_timer(pool, timer.index(), Open { token: 4 });
        assert_eq!((world.loops.token(timer), world.loops.timer_repeat(timer)), (4, Ok(0)));
        assert!(!world.loops.active(timer) && world.loops.referenced(timer));
        world.loops.release(timer);
        assert_eq!(world.loops.close_loop(world.main), Ok(()));
    }

    #[test]
    fn pooled_timers_count_towards_the_limit_and_a_closed_loop_has_none() {
        let mut loops = Loops::new(Limits { handles: 3, loops: 2 });
        let (main, other) = (loops.make_loop(0).unwrap(), loops.make_loop(0).unwrap());
        let pool = loops.make_pool().unwrap();
        loops.make_timer(other, 0).unwrap();
        let timers = loops.allocate_timers(pool, main, 100).unwrap();
        assert_eq!(timers.len(), 2);
        assert_eq!(loops.allocate_timers(pool, other, 1), Err(Error::TooManyHandles));
        loops.release(timers[0]);
        loops.close_loop(main).unwrap();
        assert_eq!(loops.allocate_timers(pool, main, 1), Err(Error::LoopClosed));
        loops.change_timer(pool, timers[1].index(), Open { token: 1 });
        assert!(loops.handle_closed(timers[1]));
        loops.release_loop(main);
        loops.release(timers[1]);
        assert!(!loops.has_loop(main));
        assert_eq!(loops.allocate_timers(pool, other, 2).map(|timers| timers.len()), Ok(2));
    }

    #[test]
    fn a_timer_released_in_its_callback_is_not_reopened() {
        let mut world = World::new();
        let (main, pool) = (world.main, world.loops.make_pool().unwrap());
        let [timer] = world.loops.allocate_timers(pool, main, 1).unwrap()[..] else { panic!("one timer") };
        world.loops.change_timer(pool, timer.index(), OpenAndStart { token: 9, timeout: 0, repeat: 0 });
        world.on(call(timer), move |world| {
            world.loops.release(timer);
            for change in [Open { token: 8 }, OpenAndStart { token: 7, timeout: 0, repeat: 0 }] {
                world.loops.change_timer(pool, timer.index(), change);
            }
        });
        assert!(!world.run(RunMode::Default));
        assert_eq!(world.trace(), [call(timer)]);
        assert_eq!((world.loops.handles.len(), world.loops.close_loop(main)), (0, Ok(())));
    }

    #[test]
    fn pools_are_limited_like_loops_and_have_distinct_ids() {
        let mut loops = Loops::new(Limits { handles: 9, loops: 2 });
        let [first, second] = [(); 2].map(|()| loops.make_pool().unwrap());
        assert_eq!(loops.make_pool(), Err(Error::TooManyHandles));
        loops.release_pool(first);
        let third = loops.make_pool().unwrap();
        assert!(first != second && second != third && third != first);
    }

    #[test]
    fn a_pool_changes_only_its_own_timers() {
        let mut world = World::new();
        let main = world.main;
        let [pool, other] = [(); 2].map(|()| world.loops.make_pool().unwrap());
        let [timer] = world.loops.allocate_timers(pool, main, 1).unwrap()[..] else { panic!("one timer") };
        let (plain, idle) = (world.timer(), world.started_idle());
        world.loops.timer_start(plain, 5, 0).unwrap();
        world.loops.change_timer(other, timer.index(), Open { token: 9 });
        assert!(world.loops.handle_closed(timer));
        for number in [plain.index(), idle.index(), 7, u32::MAX] {
            for change in [Stop, Close, Start { timeout: 7, repeat: 0 }] {
                world.loops.change_timer(pool, number, change);
            }
        }
        assert!(world.loops.active(idle) && !world.loops.handle_closing(idle));
        assert_eq!(world.loops.timer_due_in(plain), Ok(5));
        world.loops.change_timer(pool, timer.index(), Open { token: 9 });
        assert_eq!(world.loops.token(timer), 9);
        // The number is reused for a timer outside the pool.
        world.loops.release(timer);
        let next = world.timer();
        assert_eq!(next, timer);
        world.loops.change_timer(pool, next.index(), Start { timeout: 7, repeat: 0 });
        assert!(!world.loops.active(next));
    }
}
