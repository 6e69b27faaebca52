//! A pseudo-terminal for unit tests.

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;

/// The master of a terminal, and the other side.
pub(crate) fn terminal() -> (OwnedFd, File) {
    let (mut master, mut slave) = (-1, -1);
    #[expect(unsafe_code, reason = "there is no safe function for it")]
    // SAFETY: both places are valid for a descriptor, null stands for the default everywhere else, and
    // what a successful call has opened has no other owner.
    unsafe {
        let result =
            libc::openpty(&mut master, &mut slave, ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
        (OwnedFd::from_raw_fd(master), File::from_raw_fd(slave))
    }
}
