//! The core's errors and events as the contract's.

use crate::bindings::uv::handles::types::{Error, ErrorCode, Event, EventKind, PollEvents, RunMode};

impl From<uv_handles_core::Error> for Error {
    fn from(error: uv_handles_core::Error) -> Error {
        use uv_handles_core::Error as Core;
        Error::Code(match error {
            Core::HandleClosed => return Error::HandleClosed,
            Core::LoopClosed => return Error::LoopClosed,
            Core::Busy => ErrorCode::Ebusy,
            Core::Invalid => ErrorCode::Einval,
            Core::AccessDenied => ErrorCode::Eacces,
            Core::Exists => ErrorCode::Eexist,
            Core::BadDescriptor => ErrorCode::Ebadf,
            Core::TooManyHandles => ErrorCode::Enomem,
            Core::TooManyLoops => ErrorCode::Emfile,
        })
    }
}

impl From<PollEvents> for uv_handles_core::PollEvents {
    fn from(events: PollEvents) -> Self {
        // Flags have the same bits on both sides.
        Self::from_bits_truncate(events.bits())
    }
}

impl From<uv_handles_core::PollEvents> for PollEvents {
    fn from(events: uv_handles_core::PollEvents) -> Self {
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
        let kind = match event.what {
            Core::Callback => EventKind::Callback,
            Core::Poll(ready) => EventKind::Poll(ready.map(Into::into).map_err(Into::into)),
            Core::Signal(signum) => EventKind::Signal(signum),
            Core::Closed => EventKind::Closed,
        };
        Event { token: event.token, kind }
    }
}
