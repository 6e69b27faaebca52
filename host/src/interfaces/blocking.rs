//! `uv:handles/blocking`, for embedders that let a guest block its thread.

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
        if max == 0 {
            return Ok(Err(StatusCode::Einval.into()));
        }
        Ok(match self.ctx.pull(loop_id(&id)) {
            Ok(driver::Pulled::Event(event)) => Ok(Pulled::Events(vec![event.into()])),
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
