//! A separate descriptor table for a thread.

use std::mem::MaybeUninit;
use std::ptr;

/// Gives the calling thread its own, empty descriptor table, and blocks signals on it, because
/// their handlers write to descriptors.
///
/// The thread can neither use nor close what the process has open, so it must not own descriptors.
///
/// While several threads share a table, Linux locks the table and counts a file reference on each
/// system call, which is a quarter of the time of a short one.
pub(crate) fn unshare_descriptors() {
    #[expect(unsafe_code, reason = "neither call has a safe function")]
    // SAFETY: the set is written before it is read. Only this thread's new references are closed;
    // the others keep the descriptors open. An older Linux refuses the call, and the table stays
    // shared.
    unsafe {
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), ptr::null_mut());
        libc::syscall(libc::SYS_close_range, 0, libc::c_uint::MAX, libc::CLOSE_RANGE_UNSHARE);
    }
}
