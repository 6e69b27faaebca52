//! `uv:handles/batch`.

use super::{handle_resource, loop_id};
use crate::bindings::batch::{Host, HostReserve, Reserve};
use crate::bindings::event_loop::Loop;
use crate::bindings::timer::Timer;
use crate::bindings::types::{Error, StatusCode};
use crate::view::UvCtxView;
use uv_handles_core::{Changes, ReserveId};
use wasmtime::component::Resource;

impl Host for UvCtxView<'_> {
    fn advance(&mut self, position: u32, reserve: Option<Resource<Reserve>>, changes: Vec<u64>) {
        let reserve = reserve.and_then(|reserve| reserve_id(&reserve));
        self.ctx.advance(position as usize, reserve, Changes::new(&changes));
    }
}

impl HostReserve for UvCtxView<'_> {
    fn create(&mut self) -> Result<Resource<Reserve>, Error> {
        if self.ctx.is_plugin {
            return Err(StatusCode::Enotsup.into());
        }
        Ok(Resource::new_own(self.ctx.loops.make_reserve()?.index()))
    }

    fn make(
        &mut self,
        reserve: Resource<Reserve>,
        owner: Resource<Loop>,
        count: u32,
    ) -> Result<Vec<(Resource<Timer>, u32)>, Error> {
        match (self.ctx.is_plugin, count) {
            (true, _) => return Err(StatusCode::Enotsup.into()),
            (false, 0) => return Err(StatusCode::Einval.into()),
            (false, _) => self.ctx.puts_off = true,
        }
        let reserve = reserve_id(&reserve).ok_or(StatusCode::Einval)?;
        let timers = self.ctx.loops.reserve_timers(reserve, loop_id(&owner), count as usize)?;
        Ok(timers.into_iter().map(|timer| (handle_resource(timer), timer.index())).collect())
    }

    fn drop(&mut self, reserve: Resource<Reserve>) -> wasmtime::Result<()> {
        if let Some(reserve) = reserve_id(&reserve) {
            self.ctx.loops.release_reserve(reserve);
        }
        Ok(())
    }
}

/// Which one it stands for: always one, because the host has made it.
fn reserve_id(reserve: &Resource<Reserve>) -> Option<ReserveId> {
    ReserveId::from_index(reserve.rep())
}
