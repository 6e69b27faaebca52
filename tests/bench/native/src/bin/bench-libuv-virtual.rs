//! The side of native libuv in virtual time: a clock that stands still except while the loop waits,
//! and then jumps to the end of the wait. build.rs links these in place of the C library's
//! functions.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicU64, Ordering};

/// In milliseconds. It does not begin at 0, which libuv takes for the time before all timers.
static NOW: AtomicU64 = AtomicU64::new(1_000);

unsafe extern "C" {
    fn __real_clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int;
    fn __real_epoll_pwait(
        epoll: c_int,
        events: *mut libc::epoll_event,
        room: c_int,
        timeout: c_int,
        mask: *const c_void,
    ) -> c_int;
}

/// # Safety
///
/// As clock_gettime's.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    if !matches!(clock, libc::CLOCK_MONOTONIC | libc::CLOCK_MONOTONIC_COARSE) {
        // CPU time is real.
        // SAFETY: the caller's.
        return unsafe { __real_clock_gettime(clock, time) };
    }
    let now = NOW.load(Ordering::Relaxed);
    // SAFETY: the caller's: it is the address of a timespec.
    unsafe {
        (*time).tv_sec = (now / 1000).cast_signed();
        (*time).tv_nsec = (now % 1000 * 1_000_000).cast_signed();
    }
    0
}

/// # Safety
///
/// As epoll_pwait's.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_epoll_pwait(
    epoll: c_int,
    events: *mut libc::epoll_event,
    room: c_int,
    timeout: c_int,
    mask: *const c_void,
) -> c_int {
    // SAFETY: the caller's.
    let ready = unsafe { __real_epoll_pwait(epoll, events, room, 0, mask) };
    if ready == 0 && timeout > 0 {
        NOW.fetch_add(timeout.unsigned_abs().into(), Ordering::Relaxed);
    }
    ready
}

fn main() {
    uv_handles_bench_native::run();
}
