//! `uv:handles/types`: conversions of errors and events, and results of interruptible functions.

use crate::bindings::types::{Error, ErrorCode, Event, EventKind, Host, PollEvents, RunMode};
use crate::ctx::interrupt::Interrupted;
use crate::driver::RunError;
use crate::grants::async_sender::OpenError;
use crate::os::descriptors::Refused;
use crate::os::errors;
use crate::view::UvCtxView;
use rustix::io::Errno;

impl Host for UvCtxView<'_> {}

impl UvCtxView<'_> {
    /// Converts the result of a call for a delivery or a wait. An interrupt becomes a trap.
    #[inline]
    pub(super) fn answer<A, B>(
        &mut self,
        result: Result<A, RunError>,
        answer: impl FnOnce(A) -> B,
    ) -> wasmtime::Result<Result<B, Error>> {
        match result {
            Ok(value) => Ok(Ok(answer(value))),
            Err(RunError::Core(error)) => Ok(Err(error.into())),
            Err(RunError::Os(error)) => Ok(Err(error.into())),
            Err(RunError::Interrupted) => Err(self.interrupted()),
        }
    }

    pub(super) fn interrupted(&mut self) -> wasmtime::Error {
        self.ctx.release_all();
        Interrupted.into()
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
            Core::AccessDenied => ErrorCode::Eacces,
            Core::Exists => ErrorCode::Eexist,
            Core::BadDescriptor => ErrorCode::Ebadf,
            Core::TooManyHandles => ErrorCode::Enomem,
            Core::TooManyLoops => ErrorCode::Emfile,
        })
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Error {
        os_error(errno.raw_os_error())
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        error.raw_os_error().map_or(Error::Other(UNKNOWN), os_error)
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Error {
        match refused {
            Refused::NotGranted => ErrorCode::Enoent.into(),
            Refused::Busy => ErrorCode::Ebusy.into(),
            Refused::TooMany => ErrorCode::Emfile.into(),
            Refused::Os(errno) => errno.into(),
            Refused::NotMade(error) => match error.into() {
                // The code by its name means that the descriptor is not granted.
                Error::Code(ErrorCode::Enoent) => Error::Other(-errors::ENOENT),
                error => error,
            },
        }
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Error {
        match error {
            OpenError::NotGranted => ErrorCode::Enoent.into(),
            OpenError::Busy => ErrorCode::Ebusy.into(),
        }
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

const EVENTS: [(PollEvents, uv_handles_core::PollEvents); 4] = [
    (PollEvents::READABLE, uv_handles_core::PollEvents::READABLE),
    (PollEvents::WRITABLE, uv_handles_core::PollEvents::WRITABLE),
    (PollEvents::DISCONNECT, uv_handles_core::PollEvents::DISCONNECT),
    (PollEvents::PRIORITIZED, uv_handles_core::PollEvents::PRIORITIZED),
];

impl From<PollEvents> for uv_handles_core::PollEvents {
    fn from(events: PollEvents) -> Self {
        EVENTS.into_iter().filter(|(here, _)| events.contains(*here)).map(|(_, core)| core).collect()
    }
}

impl From<uv_handles_core::PollEvents> for PollEvents {
    fn from(events: uv_handles_core::PollEvents) -> Self {
        let here = EVENTS.into_iter().filter(|(_, core)| events.contains(*core)).map(|(here, _)| here);
        here.fold(PollEvents::empty(), |all, one| all | one)
    }
}

/// libuv's UV_UNKNOWN, for an error without an OS error number.
const UNKNOWN: i32 = -4094;

/// Returns an OS error by its name in the contract, or by Linux's number if there is none.
fn os_error(host: i32) -> Error {
    let errno = errors::linux_number(host);
    macro_rules! by_name {
        ($($errno:ident => $code:ident,)*) => {
            match errno {
                $(errors::$errno => Error::Code(ErrorCode::$code),)*
                _ => Error::Other(errno.saturating_neg()),
            }
        };
    }
    by_name! {
        EACCES => Eacces,
        EADDRINUSE => Eaddrinuse,
        EADDRNOTAVAIL => Eaddrnotavail,
        EAFNOSUPPORT => Eafnosupport,
        EAGAIN => Eagain,
        EALREADY => Ealready,
        EBADF => Ebadf,
        EBUSY => Ebusy,
        ECANCELED => Ecanceled,
        ECONNABORTED => Econnaborted,
        ECONNREFUSED => Econnrefused,
        ECONNRESET => Econnreset,
        EDESTADDRREQ => Edestaddrreq,
        EEXIST => Eexist,
        EHOSTUNREACH => Ehostunreach,
        EINTR => Eintr,
        EINVAL => Einval,
        EIO => Eio,
        EISCONN => Eisconn,
        EMFILE => Emfile,
        EMSGSIZE => Emsgsize,
        ENAMETOOLONG => Enametoolong,
        ENETDOWN => Enetdown,
        ENETUNREACH => Enetunreach,
        ENFILE => Enfile,
        ENOBUFS => Enobufs,
        ENODEV => Enodev,
        ENOENT => Enoent,
        ENOMEM => Enomem,
        ENOSYS => Enosys,
        ENOTCONN => Enotconn,
        ENOTSOCK => Enotsock,
        ENOTSUP => Enotsup,
        EPERM => Eperm,
        EPIPE => Epipe,
        EPROTO => Eproto,
        ERANGE => Erange,
        ESHUTDOWN => Eshutdown,
        ETIMEDOUT => Etimedout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_errors_are_converted_by_name() {
        assert!(matches!(Errno::AGAIN.into(), Error::Code(ErrorCode::Eagain)));
        #[cfg(unix)]
        assert!(matches!(os_error(libc::ENOEXEC), Error::Other(code) if code == -errors::ENOEXEC));
        assert!(matches!(std::io::Error::other("no number").into(), Error::Other(UNKNOWN)));
    }

    #[test]
    fn poll_events_round_trip() {
        for bits in 0..16 {
            let events = uv_handles_core::PollEvents::from_bits_truncate(bits);
            assert_eq!(uv_handles_core::PollEvents::from(PollEvents::from(events)), events);
        }
    }
}
