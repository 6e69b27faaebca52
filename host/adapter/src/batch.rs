//! `uv:handles/batch`.

use crate::bindings::exports::uv::handles::batch::{
    Change, Guest, GuestReserve, Operation, Reserve, ReserveBorrow,
};
use crate::bindings::exports::uv::handles::event_loop::LoopBorrow;
use crate::bindings::exports::uv::handles::timer::Timer;
use crate::bindings::exports::uv::handles::types::{Error, StatusCode};
use crate::{Adapter, event_loop, with};
use uv_handles_core::{Loops, ReserveId, TimerChange};

/// What stands behind the resource. Dropping it is dropping the resource.
pub struct Owned(ReserveId);

impl Drop for Owned {
    fn drop(&mut self) {
        with(|loops| loops.release_reserve(self.0));
    }
}

impl Guest for Adapter {
    type Reserve = Owned;

    /// Callbacks are handed over one at a time, so the position is known.
    fn advance(_: u32, reserve: Option<ReserveBorrow<'_>>, changes: Vec<Change>) {
        if let Some(reserve) = reserve {
            let reserve: &Owned = reserve.get();
            changes.into_iter().for_each(|Change { operation, .. }| reserve.change(operation));
        }
    }
}

impl GuestReserve for Owned {
    fn create() -> Result<Reserve, Error> {
        Ok(Reserve::new(Owned(with(Loops::make_reserve)?)))
    }

    fn make(&self, owner: LoopBorrow<'_>, count: u32) -> Result<Vec<(Timer, u32)>, Error> {
        if count == 0 {
            return Err(StatusCode::Einval.into());
        }
        let timers = with(|loops| loops.reserve_timers(self.0, event_loop::id(&owner), count as usize))?;
        Ok(timers.into_iter().map(|timer| (Timer::new(crate::Owned(timer)), timer.index())).collect())
    }

    fn change(&self, operation: Operation) {
        let (number, change) = match operation {
            Operation::Open((number, token)) => (number, TimerChange::Open { token }),
            Operation::OpenAndStart((number, token, timeout, repeat)) => {
                (number, TimerChange::OpenAndStart { token, timeout, repeat })
            }
            Operation::Start((number, timeout, repeat)) => (number, TimerChange::Start { timeout, repeat }),
            Operation::Stop(number) => (number, TimerChange::Stop),
            Operation::Close(number) => (number, TimerChange::Close),
            // There are no batches.
            Operation::CloseOwn => return,
        };
        with(|loops| loops.change_timer(self.0, number, change));
    }
}
