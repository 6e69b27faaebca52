//! Takes a pending SIGPIPE from the calling thread.
#![expect(unsafe_code, reason = "sigtimedwait has no safe function")]

use std::ptr;

/// Consumes a pending signal of this set, if there is one. The thread blocks the signals.
pub(crate) fn consume(signals: &libc::sigset_t) {
    let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointers are null or valid for the call.
    unsafe { libc::sigtimedwait(signals, ptr::null_mut(), &raw const at_once) };
}
