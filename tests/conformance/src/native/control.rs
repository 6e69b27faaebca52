//! Controls time and waits: libuv calls this instead of clock_gettime and epoll_pwait.
//!
//! The clock stands still except while a loop waits with nothing ready, and then jumps to the end
//! of the wait. Ready descriptors are reported in a fixed order: wake-ups first, then poll handles
//! in order of creation.

use std::cell::Cell;
use std::ffi::{c_int, c_void};

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
}

/// The time in milliseconds.
pub fn now() -> u64 {
    NOW.get()
}

/// Sets the time in milliseconds.
pub fn set_now(now: u64) {
    NOW.set(now);
}

#[unsafe(no_mangle)]
extern "C" fn conformance_clock_gettime(_clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    let now = NOW.get();
    // SAFETY: libuv passes the address of a timespec of its own.
    unsafe {
        (*time).tv_sec = (now / 1000).cast_signed();
        (*time).tv_nsec = (now % 1000 * 1_000_000).cast_signed();
    }
    0
}

#[unsafe(no_mangle)]
extern "C" fn conformance_epoll_pwait(
    epoll: c_int,
    events: *mut libc::epoll_event,
    room: c_int,
    timeout: c_int,
    _mask: *const c_void,
) -> c_int {
    let look = || {
        // SAFETY: libuv's arguments, passed on.
        let ready = unsafe { libc::epoll_wait(epoll, events, room, 0) };
        assert!(ready >= 0, "epoll_wait fails: {}", std::io::Error::last_os_error());
        // SAFETY: this many events have just been written.
        let events = unsafe { std::slice::from_raw_parts_mut(events, ready.unsigned_abs() as usize) };
        let mut kept = 0;
        for at in 0..events.len() {
            let fd = events[at].u64 as c_int;
            if super::is_stale(epoll, fd) {
                // After an error libuv leaves the descriptor with the OS, and removes it when it is
                // reported once more. A wait that this report interrupts would be shorter by the
                // time that has passed before it.
                forget(epoll, fd);
            } else {
                events[kept] = events[at];
                kept += 1;
            }
        }
        kept as c_int
    };
    let mut ready = look();
    if ready == 0 && timeout < 0 {
        super::send_guards();
        ready = look();
        assert!(ready > 0, "the loop waits for ever, and its guard does not wake it");
    } else if ready == 0 {
        // libuv computes the length of the wait from its cached time. The wait ends when that much
        // has passed since then by the clock, as the reference has it: a repeating timer keeps its
        // interval, whatever its callback takes.
        NOW.set(NOW.get().max(super::cached_now(epoll) + u64::from(timeout.unsigned_abs())));
    }
    // SAFETY: as above.
    let events = unsafe { std::slice::from_raw_parts_mut(events, ready.unsigned_abs() as usize) };
    // The data is a descriptor.
    events.sort_by_key(|event| super::order_of_descriptor(epoll, event.u64 as c_int));
    ready
}

fn forget(epoll: c_int, fd: c_int) {
    // SAFETY: no event is needed to take a descriptor out.
    let status = unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_DEL, fd, std::ptr::null_mut()) };
    assert_eq!(status, 0, "epoll_ctl fails: {}", std::io::Error::last_os_error());
}
