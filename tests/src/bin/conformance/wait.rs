//! Controls waits: replaces `epoll_wait` (the linker's `--wrap`).
//!
//! Ready descriptors are reported in order of their tokens, which is the order in which poll
//! handles were made. A wait that would never end is woken.

use std::cell::RefCell;
use std::ffi::c_int;

type Wake = Box<dyn Fn()>;

thread_local! {
    /// Ends a wait without limit, while waits are under control.
    static WAKE: RefCell<Option<Wake>> = const { RefCell::new(None) };
}

/// A guard: waits of this thread are under control until it is dropped.
pub struct Controlled(());

/// Takes control of this thread's waits. `wake` has to end a wait that nothing else would end.
pub fn controlled(wake: impl Fn() + 'static) -> Controlled {
    WAKE.set(Some(Box::new(wake)));
    Controlled(())
}

impl Drop for Controlled {
    fn drop(&mut self) {
        WAKE.set(None);
    }
}

unsafe extern "C" {
    fn __real_epoll_wait(epoll: c_int, events: *mut libc::epoll_event, room: c_int, timeout: c_int) -> c_int;
}

#[unsafe(no_mangle)]
extern "C" fn __wrap_epoll_wait(
    epoll: c_int,
    events: *mut libc::epoll_event,
    room: c_int,
    timeout: c_int,
) -> c_int {
    // SAFETY: the caller's arguments, passed on.
    let wait = |timeout| unsafe { __real_epoll_wait(epoll, events, room, timeout) };
    WAKE.with_borrow(|wake| {
        let Some(wake) = wake else {
            return wait(timeout);
        };
        let mut ready = wait(0);
        if ready == 0 && timeout < 0 {
            wake();
            ready = wait(0);
            assert!(ready > 0, "the loop waits for ever, and nothing wakes it");
        }
        if ready > 0 {
            // SAFETY: this many events have just been written.
            let events = unsafe { std::slice::from_raw_parts_mut(events, ready.unsigned_abs() as usize) };
            events.sort_by_key(|event| event.u64);
        }
        ready
    })
}
