//! `uv:handles/blocking`: once for embedders that let a guest block its thread, once for those whose
//! guests are suspended.

use super::loop_id;
use crate::bindings::batch::{Host as _, Reserve};
use crate::bindings::blocking::{Host, Pulled};
use crate::bindings::event_loop::Loop;
use crate::bindings::types::{Error, Event, Occurrence, StatusCode};
use crate::ctx::interrupt::Interrupted;
use crate::driver::batch::in_one;
use crate::driver::{self, PullError};
use crate::view::UvCtxView;
use uv_handles_core::LoopId;
use wasmtime::component::Resource;

impl Host for UvCtxView<'_> {
    fn pull(&mut self, id: Resource<Loop>, max: u32) -> wasmtime::Result<Result<Pulled, Error>> {
        self.ctx.pulled_last = Some(loop_id(&id));
        self.pull_next(max, u32::MAX, None, Vec::new())
    }

    fn pull_next(
        &mut self,
        max: u32,
        position: u32,
        reserve: Option<Resource<Reserve>>,
        changes: Vec<u64>,
    ) -> wasmtime::Result<Result<Pulled, Error>> {
        self.advance(position, reserve, changes);
        match self.check(max) {
            Ok(id) => {
                let pulled = self.ctx.pull(id, max);
                self.answer(pulled)
            }
            Err(refused) => Ok(Err(refused)),
        }
    }

    fn pull_callbacks(&mut self) -> wasmtime::Result<u64> {
        let Some(id) = self.may_look() else {
            return Ok(in_one(None, None));
        };
        let pulled = self.ctx.pull_one(id);
        self.brief_answer(id, pulled)
    }
}

#[cfg(feature = "async")]
mod in_task {
    use super::{Error, Loop, Resource, UvCtxView, in_one, loop_id};
    use crate::bindings::batch::{Host as _, Reserve};
    use crate::bindings::in_task::blocking::{Host, Pulled};

    impl Host for UvCtxView<'_> {
        async fn pull(&mut self, id: Resource<Loop>, max: u32) -> wasmtime::Result<Result<Pulled, Error>> {
            self.ctx.pulled_last = Some(loop_id(&id));
            self.pull_next(max, u32::MAX, None, Vec::new()).await
        }

        async fn pull_next(
            &mut self,
            max: u32,
            position: u32,
            reserve: Option<Resource<Reserve>>,
            changes: Vec<u64>,
        ) -> wasmtime::Result<Result<Pulled, Error>> {
            self.advance(position, reserve, changes);
            let pulled = match self.check(max) {
                Ok(id) => self.ctx.pull_async(id, max).await,
                Err(refused) => return Ok(Err(refused)),
            };
            Ok(self.answer(pulled)?.map(|pulled| match pulled {
                super::Pulled::Event(event) => Pulled::Event(event),
                super::Pulled::Callbacks(tokens) => Pulled::Callbacks(tokens),
                super::Pulled::Polls(ready) => Pulled::Polls(ready),
                super::Pulled::Closes(tokens) => Pulled::Closes(tokens),
                super::Pulled::Finished(alive) => Pulled::Finished(alive),
            }))
        }

        async fn pull_callbacks(&mut self) -> wasmtime::Result<u64> {
            let Some(id) = self.may_look() else {
                return Ok(in_one(None, None));
            };
            let pulled = self.ctx.pull_one_async(id).await;
            self.brief_answer(id, pulled)
        }
    }
}

impl UvCtxView<'_> {
    /// The loop to pull, unless that is refused.
    fn check(&self, max: u32) -> Result<LoopId, Error> {
        match (self.ctx.is_plugin, max, self.ctx.pulled_last) {
            (true, ..) => Err(StatusCode::Enotsup.into()),
            (false, 0, _) | (false, _, None) => Err(StatusCode::Einval.into()),
            (false, _, Some(id)) => Ok(id),
        }
    }

    fn answer(
        &mut self,
        pulled: Result<driver::Pulled, PullError>,
    ) -> wasmtime::Result<Result<Pulled, Error>> {
        Ok(match pulled {
            Ok(driver::Pulled::Event(event)) => Ok(Pulled::Event(event.into())),
            Ok(driver::Pulled::Callbacks(tokens)) => Ok(Pulled::Callbacks(tokens)),
            Ok(driver::Pulled::Polls(ready)) => {
                Ok(Pulled::Polls(ready.into_iter().map(|(token, events)| (token, events.into())).collect()))
            }
            Ok(driver::Pulled::Closes(tokens)) => Ok(Pulled::Closes(tokens)),
            Ok(driver::Pulled::Finished { alive }) => Ok(Pulled::Finished(alive)),
            Err(PullError::Core(error)) => Err(error.into()),
            Err(PullError::Os(error)) => Err(error.into()),
            Err(PullError::Interrupted) => return Err(self.interrupted()),
        })
    }

    /// The loop to pull, unless something waits to be brought in another form.
    fn may_look(&self) -> Option<LoopId> {
        self.check(1).ok().filter(|_| self.ctx.found.is_none())
    }

    #[inline]
    fn brief_answer(
        &mut self,
        id: LoopId,
        pulled: Result<driver::Pulled, PullError>,
    ) -> wasmtime::Result<u64> {
        match pulled {
            Err(PullError::Interrupted) => Err(self.interrupted()),
            pulled => Ok(self.ctx.in_brief(id, pulled)),
        }
    }

    fn interrupted(&mut self) -> wasmtime::Error {
        self.ctx.release_all();
        Interrupted.into()
    }
}

impl From<uv_handles_core::Event> for Event {
    fn from(event: uv_handles_core::Event) -> Event {
        use uv_handles_core::Occurrence as Core;
        let what = match event.what {
            Core::Callback => Occurrence::Callback,
            Core::Poll(Ok(events)) => Occurrence::Poll(Ok(events.into())),
            Core::Poll(Err(_)) => Occurrence::Poll(Err(StatusCode::Ebadf)),
            Core::Signal(signum) => Occurrence::Signal(signum),
            Core::Closed => Occurrence::Closed,
        };
        Event { token: event.token, what }
    }
}
