//! `uv:handles/batch`.

use crate::bindings::exports::uv::handles::batch::{Change, Guest, Operation};
use crate::bindings::exports::uv::handles::event_loop::LoopBorrow;
use crate::bindings::exports::uv::handles::timer::Timer;
use crate::bindings::exports::uv::handles::types::{Error, StatusCode};
use crate::{Adapter, Owned, event_loop, with};
use uv_handles_core::TimerChange;

impl Guest for Adapter {
    /// Callbacks are handed over one at a time, so the position is known.
    fn advance(_: u32, changes: Vec<Change<'_>>) {
        with(|loops| {
            for Change { operation, .. } in changes {
                let (timer, change) = match &operation {
                    Operation::Open((timer, token)) => (timer, TimerChange::Open { token: *token }),
                    &Operation::OpenAndStart((ref timer, token, timeout, repeat)) => {
                        (timer, TimerChange::OpenAndStart { token, timeout, repeat })
                    }
                    Operation::Start((timer, timeout, repeat)) => {
                        (timer, TimerChange::Start { timeout: *timeout, repeat: *repeat })
                    }
                    Operation::Stop(timer) => (timer, TimerChange::Stop),
                    Operation::Close(timer) => (timer, TimerChange::Close),
                    // There are no batches.
                    Operation::CloseOwn => continue,
                };
                loops.change_timer(timer.get::<Owned>().0, change);
            }
        });
    }

    fn reserve(owner: LoopBorrow<'_>, count: u32) -> Result<Vec<Timer>, Error> {
        if count == 0 {
            return Err(StatusCode::Einval.into());
        }
        let timers = with(|loops| loops.reserve_timers(event_loop::id(&owner), count as usize))?;
        Ok(timers.into_iter().map(|timer| Timer::new(Owned(timer))).collect())
    }
}
