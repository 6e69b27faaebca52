//! `uv:handles/blocking`: once for embedders that let a guest block its thread, once for those whose
//! guests are suspended.

use super::loop_id;
use crate::Interrupted;
use crate::UvCtxView;
use crate::bindings::blocking::{Host, Pulled};
use crate::bindings::event_loop::Loop;
use crate::bindings::types::{Error, Event, Occurrence, StatusCode};
use crate::driver::{self, PullError};
use wasmtime::component::Resource;

impl Host for UvCtxView<'_> {
    fn pull(&mut self, id: Resource<Loop>, max: u32) -> wasmtime::Result<Result<Pulled, Error>> {
        if let Some(refused) = self.refuse(max) {
            return Ok(Err(refused));
        }
        let pulled = self.ctx.pull(loop_id(&id), max);
        self.answer(pulled)
    }
}

#[cfg(feature = "async")]
impl crate::bindings::in_task::blocking::Host for UvCtxView<'_> {
    async fn pull(
        &mut self,
        id: Resource<Loop>,
        max: u32,
    ) -> wasmtime::Result<Result<crate::bindings::in_task::blocking::Pulled, Error>> {
        use crate::bindings::in_task::blocking::Pulled as InTask;

        if let Some(refused) = self.refuse(max) {
            return Ok(Err(refused));
        }
        let pulled = self.ctx.pull_async(loop_id(&id), max).await;
        Ok(self.answer(pulled)?.map(|pulled| match pulled {
            Pulled::Event(event) => InTask::Event(event),
            Pulled::Batch(events) => InTask::Batch(events),
            Pulled::Finished(alive) => InTask::Finished(alive),
        }))
    }
}

impl UvCtxView<'_> {
    fn refuse(&self, max: u32) -> Option<Error> {
        match (self.ctx.is_plugin, max) {
            (true, _) => Some(StatusCode::Enotsup.into()),
            (false, 0) => Some(StatusCode::Einval.into()),
            (false, _) => None,
        }
    }

    fn answer(
        &mut self,
        pulled: Result<driver::Pulled, PullError>,
    ) -> wasmtime::Result<Result<Pulled, Error>> {
        Ok(match pulled {
            Ok(driver::Pulled::Event(event)) => Ok(Pulled::Event(event.into())),
            Ok(driver::Pulled::Batch(events)) => {
                Ok(Pulled::Batch(events.into_iter().map(Event::from).collect()))
            }
            Ok(driver::Pulled::Finished { alive }) => Ok(Pulled::Finished(alive)),
            Err(PullError::Core(error)) => Err(error.into()),
            Err(PullError::Os(error)) => Err(error.into()),
            Err(PullError::Interrupted) => {
                self.ctx.release_all();
                return Err(Interrupted.into());
            }
        })
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
