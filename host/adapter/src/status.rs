//! `uv:handles/types`: the core's words as the contract's.

use crate::bindings::exports::uv::handles::types::{
    Error, Event, Occurrence, PollEvents, RunMode, StatusCode,
};

impl From<StatusCode> for Error {
    fn from(code: StatusCode) -> Error {
        Error::Status(code)
    }
}

impl From<uv_handles_core::Error> for Error {
    fn from(error: uv_handles_core::Error) -> Error {
        use uv_handles_core::Error as Core;
        Error::Status(match error {
            Core::HandleClosed => return Error::HandleClosed,
            Core::LoopClosed => return Error::LoopClosed,
            Core::Busy => StatusCode::Ebusy,
            Core::Invalid => StatusCode::Einval,
            // Only signals are refused so, and here there are none.
            Core::AccessDenied => StatusCode::Enosys,
            Core::Exists => StatusCode::Eexist,
            Core::BadDescriptor => StatusCode::Ebadf,
            Core::TooManyHandles => StatusCode::Enomem,
            Core::TooManyLoops => StatusCode::Emfile,
        })
    }
}

impl From<PollEvents> for uv_handles_core::PollEvents {
    fn from(events: PollEvents) -> Self {
        // Flags have the same bits on both sides.
        Self::from_bits_truncate(events.bits())
    }
}

impl From<RunMode> for uv_handles_core::RunMode {
    fn from(mode: RunMode) -> Self {
        match mode {
            RunMode::Default => Self::Default,
            RunMode::Once => Self::Once,
            RunMode::Nowait => Self::NoWait,
        }
    }
}

impl From<uv_handles_core::Event> for Event {
    fn from(event: uv_handles_core::Event) -> Event {
        use uv_handles_core::Occurrence as Core;
        let what = match event.what {
            Core::Callback => Occurrence::Callback,
            // Flags have the same bits on both sides.
            Core::Poll(Ok(events)) => Occurrence::Poll(Ok(PollEvents::from_bits_truncate(events.bits()))),
            Core::Poll(Err(_)) => Occurrence::Poll(Err(StatusCode::Ebadf)),
            Core::Signal(signum) => Occurrence::Signal(signum),
            Core::Closed => Occurrence::Closed,
        };
        Event { token: event.token, what }
    }
}
