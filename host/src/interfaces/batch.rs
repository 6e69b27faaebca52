//! `uv:handles/batch`.

use super::{handle_id, handle_resource, loop_id};
use crate::UvCtxView;
use crate::batch::{Changed, What};
use crate::bindings::batch::{Change, Host, Operation};
use crate::bindings::event_loop::Loop;
use crate::bindings::timer::Timer;
use crate::bindings::types::{Error, StatusCode};
use uv_handles_core::TimerChange;
use wasmtime::component::Resource;

impl Host for UvCtxView<'_> {
    fn advance(&mut self, position: u32, changes: Vec<Change>) {
        self.ctx.advance(position as usize, changes.into_iter().map(Changed::from));
    }

    fn reserve(&mut self, owner: Resource<Loop>, count: u32) -> Result<Vec<Resource<Timer>>, Error> {
        match (self.ctx.is_plugin, count) {
            (true, _) => return Err(StatusCode::Enotsup.into()),
            (false, 0) => return Err(StatusCode::Einval.into()),
            (false, _) => self.ctx.puts_off = true,
        }
        let timers = self.ctx.loops.reserve_timers(loop_id(&owner), count as usize)?;
        Ok(timers.into_iter().map(handle_resource).collect())
    }
}

impl From<Change> for Changed {
    fn from(Change { position, operation }: Change) -> Changed {
        let (timer, change) = match operation {
            Operation::Open((timer, token)) => (timer, TimerChange::Open { token }),
            Operation::OpenAndStart((timer, token, timeout, repeat)) => {
                (timer, TimerChange::OpenAndStart { token, timeout, repeat })
            }
            Operation::Start((timer, timeout, repeat)) => (timer, TimerChange::Start { timeout, repeat }),
            Operation::Stop(timer) => (timer, TimerChange::Stop),
            Operation::Close(timer) => (timer, TimerChange::Close),
            Operation::CloseOwn => return Changed { position: position as usize, what: What::CloseOwn },
        };
        Changed { position: position as usize, what: What::Timer(handle_id(&timer), change) }
    }
}
