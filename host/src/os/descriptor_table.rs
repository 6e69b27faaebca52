//! A thread's own table of descriptors.

/// Gives the thread that calls it a table of descriptors of its own, an empty one. It can not use what the process has
/// open any more, nor close it; so it must not own anything of that kind.
///
/// As long as several threads share a table, Linux locks and counts a file for each system call on it, which is a
/// quarter of the time of a short one.
pub(crate) fn share_no_descriptors() {
    #[expect(unsafe_code, reason = "there is no safe function for it")]
    // SAFETY: it closes nothing but this thread's new references to what the others keep open. A Linux that does not know it
    // refuses it, and then the table stays shared.
    unsafe {
        libc::syscall(libc::SYS_close_range, 0, libc::c_uint::MAX, libc::CLOSE_RANGE_UNSHARE);
    }
}
