//! Waiting for signals without a handler.

use crate::os::native::signal_numbers::{of_linux, of_system};
use std::mem::MaybeUninit;

/// Signals that a dedicated thread waits for, without a handler.
#[derive(Clone, Copy)]
pub struct SignalSet(libc::sigset_t);

impl SignalSet {
    /// Blocks signals in this thread and those that it starts later, so that they wait for
    /// [`SignalSet::next`]. To be called while there is no other thread. A signal that this system
    /// does not have never arrives.
    #[expect(unsafe_code, reason = "the standard library has no signal sets")]
    pub fn block(signums: impl IntoIterator<Item = i32>) -> SignalSet {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: sigemptyset initializes the set, and sigaddset changes an initialized one. It
        // refuses a number that is no signal.
        let set = unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signum in signums.into_iter().filter_map(of_system) {
                libc::sigaddset(set.as_mut_ptr(), signum);
            }
            set.assume_init()
        };
        // SAFETY: the set is valid, and null says that the previous set is not wanted.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
        SignalSet(set)
    }

    /// Waits for the next of these signals.
    #[expect(unsafe_code, reason = "the standard library has no signal sets")]
    pub fn next(&self) -> i32 {
        let mut signum = 0;
        loop {
            // SAFETY: the set is valid, its signals are blocked, and `signum` is a valid place for the
            // number.
            let failed = unsafe { libc::sigwait(&raw const self.0, &raw mut signum) };
            if failed == 0
                && let Some(signum) = of_linux(signum)
            {
                return signum;
            }
        }
    }
}
