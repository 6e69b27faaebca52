//! A separate descriptor table for a thread.

use crate::os::unix::signal_mask;

/// Gives the calling thread its own, empty descriptor table, and blocks signals on it, because
/// their handlers write to descriptors.
///
/// The thread can neither use nor close what the process has open, so it must not own descriptors.
///
/// While several threads share a table, Linux locks the table and counts a file reference on each
/// system call, which is a quarter of the time of a short one.
pub(crate) fn unshare_descriptors() {
    signal_mask::block_all_except(None);
    #[expect(unsafe_code, reason = "the call has no safe function")]
    // SAFETY: only this thread's new references are closed; the others keep the descriptors open.
    // An older Linux refuses the call, and the table stays shared.
    unsafe {
        libc::syscall(libc::SYS_close_range, 0, libc::c_uint::MAX, libc::CLOSE_RANGE_UNSHARE);
    }
}
