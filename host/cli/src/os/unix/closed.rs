//! Standard streams that were closed when the process began.
//!
//! The standard library opens /dev/null in their place before `main`, so that no file takes their
//! numbers. A write to a closed output has to fail nevertheless, because the bytes are lost.

use std::sync::atomic::{AtomicU8, Ordering};

/// A bit for each of the numbers 0 to 2.
static CLOSED: AtomicU8 = AtomicU8::new(0);

/// Whether the standard stream with this number was closed when the process began.
pub fn at_start(number: i32) -> bool {
    CLOSED.load(Ordering::Relaxed) & (1 << number) != 0
}

extern "C" fn look() {
    for number in 0..3 {
        #[expect(unsafe_code, reason = "a descriptor that may be closed has no safe type")]
        // SAFETY: F_GETFD takes no argument, and answers with an error for a closed descriptor.
        let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
        if flags == -1 {
            CLOSED.fetch_or(1 << number, Ordering::Relaxed);
        }
    }
}

#[expect(unsafe_code, reason = "only the loader calls something before the standard library")]
// SAFETY: the section is a list of functions that the loader calls before `main`, possibly with
// arguments, which C functions may ignore. The function uses nothing that is set up later.
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[used]
static BEFORE_MAIN: extern "C" fn() = look;
