//! The signal mask of the calling thread.
//!
//! `unsafe` is needed because the OS's functions for signal masks are C. They change only the
//! calling thread's mask and its pending signals.

#![expect(unsafe_code, reason = "the functions are C: see above")]

use crate::os::native::sigpipe;
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::ptr;

/// Returns whether the calling thread blocks the signal.
pub(crate) fn is_blocked(signum: i32) -> bool {
    let mut mask = empty();
    // SAFETY: a null set changes nothing, and the mask is a valid place to write to.
    unsafe {
        libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), &raw mut mask);
        libc::sigismember(&raw const mask, signum) == 1
    }
}

/// Blocks all signals on the calling thread, except `open`.
pub(crate) fn block_all_except(open: Option<i32>) {
    let mut mask = empty();
    // SAFETY: the set is initialized and valid for the calls.
    unsafe {
        libc::sigfillset(&raw mut mask);
        if let Some(signum) = open {
            libc::sigdelset(&raw mut mask, signum);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, ptr::null_mut());
    }
}

/// Makes a write to a pipe without a reader fail with EPIPE only, whatever the embedder's SIGPIPE
/// action. The signal is directed at the writing thread, so it is blocked on that thread and then
/// consumed.
pub(crate) fn without_sigpipe<T>(write: impl FnOnce() -> Result<T, Errno>) -> Result<T, Errno> {
    if is_ignored(libc::SIGPIPE) {
        return write();
    }
    let mut sigpipe_set = empty();
    let (mut pending, mut mask) = (empty(), empty());
    // SAFETY: the sets are initialized, and all pointers are valid for the calls.
    let was_pending = unsafe {
        libc::sigaddset(&raw mut sigpipe_set, libc::SIGPIPE);
        libc::sigpending(&raw mut pending);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const sigpipe_set, &raw mut mask);
        libc::sigismember(&raw const pending, libc::SIGPIPE) == 1
    };
    let result = write();
    if matches!(result, Err(Errno::PIPE)) && !was_pending {
        sigpipe::consume(&sigpipe_set);
    }
    // SAFETY: the mask was written above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, ptr::null_mut()) };
    result
}

fn is_ignored(signum: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: a null action changes nothing, and a call that succeeds initializes the other one.
    unsafe {
        libc::sigaction(signum, ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

fn empty() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the call initializes the set.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    }
}
