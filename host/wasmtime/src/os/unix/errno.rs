//! The location of `errno`.

#[cfg(any(target_os = "linux", target_os = "dragonfly"))]
pub(super) use libc::__errno_location as errno_location;

#[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
pub(super) use libc::__error as errno_location;

#[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
pub(super) use libc::__errno as errno_location;
