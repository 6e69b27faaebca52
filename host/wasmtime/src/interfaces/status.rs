//! `uv:handles/types`: the errors of the core and of the OS as the contract's.

use crate::bindings::types::{Error, Host, PollEvents, RunMode, StatusCode};
use crate::grants::async_sender::OpenError;
use crate::os::descriptors::Refused;
use crate::view::UvCtxView;
use rustix::io::Errno;

impl Host for UvCtxView<'_> {}

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
            Core::AccessDenied => StatusCode::Eacces,
            Core::Exists => StatusCode::Eexist,
            Core::BadDescriptor => StatusCode::Ebadf,
            Core::TooManyHandles => StatusCode::Enomem,
            Core::TooManyLoops => StatusCode::Emfile,
        })
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Error {
        Error::Status(status_code(errno.raw_os_error()))
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        Error::Status(error.raw_os_error().map_or(StatusCode::Unknown, status_code))
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Error {
        match refused {
            Refused::NotGranted => StatusCode::Enoent.into(),
            Refused::Busy => StatusCode::Ebusy.into(),
            Refused::TooMany => StatusCode::Emfile.into(),
            Refused::Os(errno) => errno.into(),
        }
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Error {
        match error {
            OpenError::NotGranted => StatusCode::Enoent.into(),
            OpenError::Busy => StatusCode::Ebusy.into(),
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

/// The status code of an OS error, by the name that both have.
fn status_code(errno: i32) -> StatusCode {
    macro_rules! by_name {
        ($($errno:ident => $code:ident,)*) => {
            match errno {
                $(libc::$errno => StatusCode::$code,)*
                _ => StatusCode::Unknown,
            }
        };
    }
    by_name! {
        E2BIG => E2big,
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
        EFAULT => Efault,
        EFBIG => Efbig,
        EHOSTUNREACH => Ehostunreach,
        EINTR => Eintr,
        EINVAL => Einval,
        EIO => Eio,
        EISCONN => Eisconn,
        EISDIR => Eisdir,
        ELOOP => Eloop,
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
        ENONET => Enonet,
        ENOPROTOOPT => Enoprotoopt,
        ENOSPC => Enospc,
        ENOSYS => Enosys,
        ENOTCONN => Enotconn,
        ENOTDIR => Enotdir,
        ENOTEMPTY => Enotempty,
        ENOTSOCK => Enotsock,
        ENOTSUP => Enotsup,
        EOVERFLOW => Eoverflow,
        EPERM => Eperm,
        EPIPE => Epipe,
        EPROTO => Eproto,
        EPROTONOSUPPORT => Eprotonosupport,
        EPROTOTYPE => Eprototype,
        ERANGE => Erange,
        EROFS => Erofs,
        ESHUTDOWN => Eshutdown,
        ESPIPE => Espipe,
        ESRCH => Esrch,
        ETIMEDOUT => Etimedout,
        ETXTBSY => Etxtbsy,
        EXDEV => Exdev,
        ENXIO => Enxio,
        EMLINK => Emlink,
        EHOSTDOWN => Ehostdown,
        EREMOTEIO => Eremoteio,
        ENOTTY => Enotty,
        EILSEQ => Eilseq,
        ESOCKTNOSUPPORT => Esocktnosupport,
        ENODATA => Enodata,
        EUNATCH => Eunatch,
        ENOEXEC => Enoexec,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_errors_keep_their_names() {
        assert!(matches!(status_code(libc::EAGAIN), StatusCode::Eagain));
        assert!(matches!(status_code(libc::ENOEXEC), StatusCode::Enoexec));
        assert!(matches!(status_code(100_000), StatusCode::Unknown));
    }

    #[test]
    fn poll_events_survive_the_way_there_and_back() {
        for bits in 0..16 {
            let events = uv_handles_core::PollEvents::from_bits_truncate(bits);
            assert_eq!(uv_handles_core::PollEvents::from(PollEvents::from(events)), events);
        }
    }
}
