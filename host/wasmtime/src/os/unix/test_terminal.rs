//! Pseudo-terminals, pipes and FIFOs for unit tests.

use std::ffi::CString;
use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;
use std::ptr;

/// Opens a terminal and returns its master and slave.
pub(crate) fn terminal() -> (OwnedFd, File) {
    let (mut master, mut slave) = (-1, -1);
    #[expect(unsafe_code, reason = "openpty has no safe function")]
    // SAFETY: both locations are valid for a descriptor, null selects the default elsewhere, and
    // the descriptors of a successful call have no other owner.
    unsafe {
        let result =
            libc::openpty(&mut master, &mut slave, ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
        (OwnedFd::from_raw_fd(master), File::from_raw_fd(slave))
    }
}

/// Makes a pipe and returns its reading and its writing end.
pub(crate) fn pipe() -> (OwnedFd, OwnedFd) {
    let (read, write) = std::io::pipe().unwrap();
    (read.into(), write.into())
}

/// Makes a FIFO.
pub(crate) fn make_fifo(path: &Path) {
    let path = CString::new(path.to_str().unwrap()).unwrap();
    #[expect(unsafe_code, reason = "not every system has mknodat, and mkfifo has no safe function")]
    // SAFETY: the path ends with a zero byte.
    let result = unsafe { libc::mkfifo(path.as_ptr(), 0o700) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}
