//! `uv:handles/types`: the core's errors, events and modes as the contract's.

use crate::bindings::exports::uv::handles::types::{Error, ErrorCode, Event, EventKind, PollEvents, RunMode};

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Error {
        Error::Code(code)
    }
}

impl From<uv_handles_core::Error> for Error {
    fn from(error: uv_handles_core::Error) -> Error {
        use uv_handles_core::Error as Core;
        Error::Code(match error {
            Core::HandleClosed => return Error::HandleClosed,
            Core::LoopClosed => return Error::LoopClosed,
            Core::Busy => ErrorCode::Ebusy,
            Core::Invalid => ErrorCode::Einval,
            // Only signals are refused in this way, and the adapter has none.
            Core::AccessDenied => ErrorCode::Enosys,
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
        let kind = match event.what {
            Core::Callback => EventKind::Callback,
            Core::Poll(Ok(events)) => EventKind::Poll(Ok(events.into())),
            Core::Poll(Err(error)) => EventKind::Poll(Err(error.into())),
            Core::Signal(signum) => EventKind::Signal(signum),
            Core::Closed => EventKind::Closed,
        };
        Event { token: event.token, kind }
    }
}
