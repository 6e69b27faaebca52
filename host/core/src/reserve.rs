//! Timers that are made ahead, and changed without being asked whether that went well: what spares a guest most
//! of its calls.

use crate::close::Stage;
use crate::handle::{Handle, Kind};
use crate::{Error, HandleId, LoopId, Loops};
use std::num::NonZeroU32;

/// A right to change timers by their numbers: those that were made ahead with it, and no others. A number is the
/// [index](HandleId::index) of a timer's id. No other reserve ever has the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReserveId(NonZeroU32);

impl ReserveId {
    /// The number behind the id.
    pub fn index(self) -> u32 {
        self.0.get()
    }

    /// The id with this number, if there can be one. Only a number that [`ReserveId::index`] gave names a reserve.
    pub fn from_index(index: u32) -> Option<ReserveId> {
        NonZeroU32::new(index).map(ReserveId)
    }
}

/// What is done to a timer. Nothing happens to one that is not in the state that it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerChange {
    /// Makes a new handle of a closed one, as uv_timer_init.
    Open {
        /// The new handle's.
        token: u64,
    },
    /// Makes a new handle of a closed one, and starts it.
    OpenAndStart {
        /// The new handle's.
        token: u64,
        /// Milliseconds.
        timeout: u64,
        /// Milliseconds; 0 for none.
        repeat: u64,
    },
    /// As [`Loops::timer_start`].
    Start {
        /// Milliseconds.
        timeout: u64,
        /// Milliseconds; 0 for none.
        repeat: u64,
    },
    /// As [`Loops::timer_stop`].
    Stop,
    /// As [`Loops::close`].
    Close,
}

impl Loops {
    /// Makes a reserve without timers. `TooManyHandles` when there are as many as there may be loops, and after 2^32 - 1.
    pub fn make_reserve(&mut self) -> Result<ReserveId, Error> {
        if self.reserves >= self.limits.loops {
            return Err(Error::TooManyHandles);
        }
        self.reserves_made = self.reserves_made.checked_add(1).ok_or(Error::TooManyHandles)?;
        self.reserves += 1;
        ReserveId::from_index(self.reserves_made).ok_or(Error::TooManyHandles)
    }

    /// Gives up a reserve. Its timers stay, and nobody can change them by their numbers any more.
    pub fn release_reserve(&mut self, _: ReserveId) {
        self.reserves -= 1;
    }

    /// Makes closed timers: as many as the limit allows, at most `count`, and at least one unless it is refused.
    pub fn reserve_timers(
        &mut self,
        reserve: ReserveId,
        owner: LoopId,
        count: usize,
    ) -> Result<Vec<HandleId>, Error> {
        self.open_state(owner)?;
        let room = (self.limits.handles as usize).saturating_sub(self.handles.len());
        if room == 0 {
            return Err(Error::TooManyHandles);
        }
        let timers = (0..count.clamp(1, room)).map(|_| {
            let kind = Kind::Timer { repeat: 0, ever_started: false, reserve: Some(reserve) };
            let open = self.new_handle(owner, 0, kind);
            self.give_place(Handle { referenced: false, stage: Stage::Closed, ..open })
        });
        Ok(timers.collect())
    }

    /// Changes the timer with this number. Nothing happens if that is no timer of this reserve, or no more.
    pub fn change_timer(&mut self, reserve: ReserveId, number: u32, change: TimerChange) {
        let id = HandleId::from_index(number);
        let is_of_reserve = |handle: &Handle| {
            // One that was released in its own callback still has its place.
            !handle.dropped && matches!(handle.kind, Kind::Timer { reserve: Some(own), .. } if own == reserve)
        };
        if !self.handles.get(number as usize).is_some_and(is_of_reserve) {
            return;
        }
        match change {
            TimerChange::Open { token } => {
                self.open_timer(reserve, id, token);
            }
            TimerChange::OpenAndStart { token, timeout, repeat } => {
                if self.open_timer(reserve, id, token) {
                    self.start_stopped_timer(id, timeout, repeat);
                }
            }
            // Refused if it is not open.
            TimerChange::Start { timeout, repeat } => drop(self.timer_start(id, timeout, repeat)),
            TimerChange::Stop => self.timer_stop(id),
            TimerChange::Close => self.close(id),
        }
    }

    /// Answers whether it was closed.
    fn open_timer(&mut self, reserve: ReserveId, id: HandleId, token: u64) -> bool {
        let handle = self.handle(id);
        let is_closed = handle.stage == Stage::Closed && !self.state(handle.owner).closed;
        if is_closed {
            let kind = Kind::Timer { repeat: 0, ever_started: false, reserve: Some(reserve) };
            self.make_in_place_of(id, token, kind);
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
    fn opened_and_started_at_once_unless_it_is_open() {
        let mut world = World::new();
        let reserve = world.loops.make_reserve().unwrap();
        let [timer] = world.loops.reserve_timers(reserve, world.main, 1).unwrap()[..] else { panic!("one") };
        world.loops.change_timer(reserve, timer.index(), OpenAndStart { token: 9, timeout: 3, repeat: 2 });
        assert_eq!((world.loops.token(timer), world.loops.timer_repeat(timer)), (9, Ok(2)));
        assert_eq!(world.loops.timer_due_in(timer), Ok(3));
        world.loops.change_timer(reserve, timer.index(), OpenAndStart { token: 8, timeout: 1, repeat: 0 });
        assert_eq!((world.loops.token(timer), world.loops.timer_due_in(timer)), (9, Ok(3)));
    }

    #[test]
    fn a_reserved_timer_is_closed_until_it_is_opened() {
        let mut world = World::new();
        let (main, reserve) = (world.main, world.loops.make_reserve().unwrap());
        let [first, second] = world.loops.reserve_timers(reserve, main, 2).unwrap()[..] else {
            panic!("two")
        };
        assert!(world.loops.handle_closed(first) && world.loops.handles(main).is_empty());
        assert_eq!(world.loops.timer_start(first, 1, 0), Err(Error::HandleClosed));
        world.loops.change_timer(reserve, first.index(), Start { timeout: 1, repeat: 0 });
        world.loops.change_timer(reserve, first.index(), Stop);
        assert!(!world.alive());
        world.loops.change_timer(reserve, second.index(), Open { token: 9 });
        world.loops.change_timer(reserve, first.index(), Open { token: 8 });
        assert_eq!(world.loops.handles(main), [second, first], "in order of opening");
        assert_eq!((world.loops.token(second), world.loops.referenced(second)), (9, true));
        assert_eq!(world.loops.timer_again(second), Err(Error::Invalid), "it has never been started");
        world.loops.change_timer(reserve, second.index(), Start { timeout: 3, repeat: 0 });
        world.loops.change_timer(reserve, first.index(), Start { timeout: 3, repeat: 0 });
        world.loops.change_timer(reserve, first.index(), Close);
        world.run(RunMode::Default);
        assert_eq!(world.trace(), [close(first), call(second)]);
        assert_eq!(world.loops.close_loop(main), Err(Error::Busy), "the second is open");
    }

    #[test]
    fn a_timer_can_be_opened_again_when_it_is_closed_and_not_before() {
        let mut world = World::new();
        let reserve = world.loops.make_reserve().unwrap();
        let [timer] = world.loops.reserve_timers(reserve, world.main, 1).unwrap()[..] else { panic!("one") };
        world.loops.change_timer(reserve, timer.index(), OpenAndStart { token: 0, timeout: 5, repeat: 5 });
        world.loops.dereference(timer).unwrap();
        world.loops.change_timer(reserve, timer.index(), Open { token: 1 });
        assert!(world.loops.active(timer), "it was open");
        world.loops.close(timer);
        world.loops.change_timer(reserve, timer.index(), Open { token: 2 });
        assert!(world.loops.handle_closing(timer));
        world.on(close(timer), move |world| {
            world.loops.change_timer(reserve, timer.index(), Open { token: 3 })
        });
        world.run(RunMode::NoWait);
        assert!(world.loops.handle_closed(timer), "its close callback had not returned");
        world.loops.change_timer(reserve, timer.index(), Open { token: 4 });
        assert_eq!((world.loops.token(timer), world.loops.timer_repeat(timer)), (4, Ok(0)));
        assert!(!world.loops.active(timer) && world.loops.referenced(timer));
        world.loops.release(timer);
        assert_eq!(world.loops.close_loop(world.main), Ok(()));
    }

    #[test]
    fn reserved_timers_count_and_a_closed_loop_has_none() {
        let mut loops = Loops::new(Limits { handles: 3, loops: 2 });
        let (main, other) = (loops.make_loop(0).unwrap(), loops.make_loop(0).unwrap());
        let reserve = loops.make_reserve().unwrap();
        loops.make_timer(other, 0).unwrap();
        let timers = loops.reserve_timers(reserve, main, 100).unwrap();
        assert_eq!(timers.len(), 2);
        assert_eq!(loops.reserve_timers(reserve, other, 1), Err(Error::TooManyHandles));
        loops.release(timers[0]);
        loops.close_loop(main).unwrap();
        assert_eq!(loops.reserve_timers(reserve, main, 1), Err(Error::LoopClosed));
        loops.change_timer(reserve, timers[1].index(), Open { token: 1 });
        assert!(loops.handle_closed(timers[1]));
        loops.release_loop(main);
        loops.release(timers[1]);
        assert!(!loops.has_loop(main));
        assert_eq!(loops.reserve_timers(reserve, other, 2).map(|timers| timers.len()), Ok(2));
    }

    #[test]
    fn a_timer_that_is_released_in_its_callback_is_not_opened_again() {
        let mut world = World::new();
        let (main, reserve) = (world.main, world.loops.make_reserve().unwrap());
        let [timer] = world.loops.reserve_timers(reserve, main, 1).unwrap()[..] else { panic!("one") };
        world.loops.change_timer(reserve, timer.index(), OpenAndStart { token: 9, timeout: 0, repeat: 0 });
        world.on(call(timer), move |world| {
            world.loops.release(timer);
            for change in [Open { token: 8 }, OpenAndStart { token: 7, timeout: 0, repeat: 0 }] {
                world.loops.change_timer(reserve, timer.index(), change);
            }
        });
        assert!(!world.run(RunMode::Default));
        assert_eq!(world.trace(), [call(timer)]);
        assert_eq!((world.loops.handles.len(), world.loops.close_loop(main)), (0, Ok(())));
    }

    #[test]
    fn there_are_as_many_reserves_as_loops_and_none_twice() {
        let mut loops = Loops::new(Limits { handles: 9, loops: 2 });
        let [first, second] = [(); 2].map(|()| loops.make_reserve().unwrap());
        assert_eq!(loops.make_reserve(), Err(Error::TooManyHandles));
        loops.release_reserve(first);
        let third = loops.make_reserve().unwrap();
        assert!(first != second && second != third && third != first);
    }

    #[test]
    fn a_reserve_changes_its_own_timers_and_no_others() {
        let mut world = World::new();
        let main = world.main;
        let [reserve, other] = [(); 2].map(|()| world.loops.make_reserve().unwrap());
        let [timer] = world.loops.reserve_timers(reserve, main, 1).unwrap()[..] else { panic!("one") };
        let (plain, idle) = (world.timer(), world.started_idle());
        world.loops.timer_start(plain, 5, 0).unwrap();
        world.loops.change_timer(other, timer.index(), Open { token: 9 });
        assert!(world.loops.handle_closed(timer));
        for number in [plain.index(), idle.index(), 7, u32::MAX] {
            for change in [Stop, Close, Start { timeout: 7, repeat: 0 }] {
                world.loops.change_timer(reserve, number, change);
            }
        }
        assert!(world.loops.active(idle) && !world.loops.handle_closing(idle));
        assert_eq!(world.loops.timer_due_in(plain), Ok(5));
        world.loops.change_timer(reserve, timer.index(), Open { token: 9 });
        assert_eq!(world.loops.token(timer), 9);
        // Its number is given to a timer that is not the reserve's.
        world.loops.release(timer);
        let next = world.timer();
        assert_eq!(next, timer);
        world.loops.change_timer(reserve, next.index(), Start { timeout: 7, repeat: 0 });
        assert!(!world.loops.active(next));
    }
}
