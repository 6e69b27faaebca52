//! `uv:handles/blocking`, for embedders that let a guest block its thread.

use super::loop_id;
use crate::UvCtxView;
use crate::bindings::blocking::{Host, Pulled};
use crate::bindings::event_loop::Loop;
use crate::bindings::types::{Error, Event, Occurrence, StatusCode};
use crate::driver;
use wasmtime::component::Resource;

impl Host for UvCtxView<'_> {
    fn pull(&mut self, id: Resource<Loop>, max: u32) -> Result<Pulled, Error> {
        if max == 0 {
            return Err(StatusCode::Einval.into());
        }
        Ok(match self.ctx.pull(loop_id(&id))? {
            driver::Pulled::Event(event) => Pulled::Events(vec![event.into()]),
            driver::Pulled::Finished { alive } => Pulled::Finished(alive),
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
