//! A thread that has nothing to do with descriptors or signals.

use std::mem::MaybeUninit;
use std::ptr;

/// Gives the thread that calls it a table of descriptors of its own, an empty one, and keeps signals from it: their
/// handlers write to descriptors. It can not use what the process has open any more, nor close it; so it must not own
/// anything of that kind.
///
/// As long as several threads share a table, Linux locks and counts a file for each system call on it, which is a
/// quarter of the time of a short one.
pub(crate) fn share_no_descriptors() {
    #[expect(unsafe_code, reason = "there is no safe function for either")]
    // SAFETY: the set is written before it is read. Nothing is closed but this thread's new references to what the
    // others keep open. A Linux that does not know that refuses it, and then the table stays shared.
    unsafe {
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), ptr::null_mut());
        libc::syscall(libc::SYS_close_range, 0, libc::c_uint::MAX, libc::CLOSE_RANGE_UNSHARE);
    }
}
