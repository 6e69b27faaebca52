//! A pseudo-terminal for unit tests.

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
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
