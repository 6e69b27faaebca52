//! `uv:handles/batch`.

use crate::bindings::exports::uv::handles::batch::{Guest, GuestReserve, Reserve, ReserveBorrow};
use crate::bindings::exports::uv::handles::event_loop::LoopBorrow;
use crate::bindings::exports::uv::handles::timer::Timer;
use crate::bindings::exports::uv::handles::types::{Error, StatusCode};
use crate::{Adapter, event_loop, with};
use uv_handles_core::{Change, Changed, Changes, Loops, ReserveId};

/// What stands behind the resource. Dropping it is dropping the resource.
pub struct Owned(ReserveId);

impl Drop for Owned {
    fn drop(&mut self) {
        with(|loops| loops.release_reserve(self.0));
    }
}

impl Guest for Adapter {
    type Reserve = Owned;

    /// Callbacks are handed over one at a time. There are no batches, so *close own* does nothing.
    fn advance(_: u32, reserve: Option<ReserveBorrow<'_>>, changes: Vec<u64>) {
        let Some(reserve) = reserve else {
            return;
        };
        let reserve: &Owned = reserve.get();
        with(|loops| {
            for Change { what, .. } in Changes::new(&changes) {
                if let Changed::Timer(number, change) = what {
                    loops.change_timer(reserve.0, number, change);
                }
            }
        });
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
}
