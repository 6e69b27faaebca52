//! Takes a pending SIGPIPE from the calling thread.
#![expect(unsafe_code, reason = "the functions for signals are C")]

use std::mem::MaybeUninit;

/// Consumes a pending SIGPIPE, if there is one. The thread blocks the signals of this set, which are
/// SIGPIPE alone. macOS and OpenBSD have no sigtimedwait, so a look comes first.
pub(crate) fn consume(signals: &libc::sigset_t) {
    let mut pending = MaybeUninit::uninit();
    // SAFETY: the call initializes the set.
    let is_pending = unsafe {
        libc::sigpending(pending.as_mut_ptr()) == 0 && libc::sigismember(pending.as_ptr(), libc::SIGPIPE) == 1
    };
    if is_pending {
        let mut taken = 0;
        // SAFETY: both pointers are valid for the call.
        unsafe { libc::sigwait(signals, &raw mut taken) };
    }
}
