//! Signals that the process was started to ignore.

use crate::os::native::signal_numbers::of_system;
use std::mem::MaybeUninit;

/// Whether the process ignores a signal, by Linux's number. Before a guest watches one, this is what uv-run has inherited:
/// a shell lets programs in the background ignore Ctrl+C.
pub fn at_start(signum: i32) -> bool {
    let Some(signum) = of_system(signum) else {
        return false;
    };
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    #[expect(unsafe_code, reason = "the standard library does not know signals")]
    // SAFETY: all-zero bytes are a valid sigaction, which the call fills.
    let action = unsafe {
        libc::sigaction(signum, std::ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}
