//! The functions of libuv that the test calls. build.rs compiles them; the types are opaque.

#![allow(non_camel_case_types, reason = "libuv's names")]

use std::ffi::{c_char, c_int, c_void};

/// A loop.
#[repr(C)]
pub struct uv_loop_t {
    _opaque: [u8; 0],
}

/// A handle of any kind.
#[repr(C)]
pub struct uv_handle_t {
    _opaque: [u8; 0],
}

pub type Callback = extern "C" fn(*mut uv_handle_t);
pub type PollCallback = extern "C" fn(*mut uv_handle_t, c_int, c_int);
pub type SignalCallback = extern "C" fn(*mut uv_handle_t, c_int);
pub type WalkCallback = extern "C" fn(*mut uv_handle_t, *mut c_void);

unsafe extern "C" {
    pub fn uv_loop_size() -> usize;
    pub fn uv_handle_size(kind: c_int) -> usize;
    pub fn uv_loop_init(event_loop: *mut uv_loop_t) -> c_int;
    pub fn uv_loop_close(event_loop: *mut uv_loop_t) -> c_int;
    pub fn uv_loop_alive(event_loop: *const uv_loop_t) -> c_int;
    pub fn uv_run(event_loop: *mut uv_loop_t, mode: c_int) -> c_int;
    pub fn uv_stop(event_loop: *mut uv_loop_t);
    pub fn uv_now(event_loop: *const uv_loop_t) -> u64;
    pub fn uv_update_time(event_loop: *mut uv_loop_t);
    pub fn uv_backend_timeout(event_loop: *const uv_loop_t) -> c_int;
    pub fn uv_backend_fd(event_loop: *const uv_loop_t) -> c_int;
    pub fn uv_walk(event_loop: *mut uv_loop_t, callback: WalkCallback, argument: *mut c_void);
    pub fn uv_err_name_r(error: c_int, buffer: *mut c_char, size: usize) -> *mut c_char;

    pub fn uv_close(handle: *mut uv_handle_t, callback: Option<Callback>);
    pub fn uv_is_active(handle: *const uv_handle_t) -> c_int;
    pub fn uv_is_closing(handle: *const uv_handle_t) -> c_int;
    pub fn uv_has_ref(handle: *const uv_handle_t) -> c_int;
    pub fn uv_ref(handle: *mut uv_handle_t);
    pub fn uv_unref(handle: *mut uv_handle_t);
    pub fn uv_fileno(handle: *const uv_handle_t, fd: *mut c_int) -> c_int;
    pub fn uv_handle_get_data(handle: *const uv_handle_t) -> *mut c_void;
    pub fn uv_handle_set_data(handle: *mut uv_handle_t, data: *mut c_void);

    pub fn uv_timer_init(event_loop: *mut uv_loop_t, handle: *mut uv_handle_t) -> c_int;
    pub fn uv_timer_start(handle: *mut uv_handle_t, callback: Callback, timeout: u64, repeat: u64) -> c_int;
    pub fn uv_timer_stop(handle: *mut uv_handle_t) -> c_int;
    pub fn uv_timer_again(handle: *mut uv_handle_t) -> c_int;
    pub fn uv_timer_set_repeat(handle: *mut uv_handle_t, repeat: u64);
    pub fn uv_timer_get_repeat(handle: *const uv_handle_t) -> u64;
    pub fn uv_timer_get_due_in(handle: *const uv_handle_t) -> u64;

    pub fn uv_idle_init(event_loop: *mut uv_loop_t, handle: *mut uv_handle_t) -> c_int;
    pub fn uv_idle_start(handle: *mut uv_handle_t, callback: Callback) -> c_int;
    pub fn uv_idle_stop(handle: *mut uv_handle_t) -> c_int;
    pub fn uv_prepare_init(event_loop: *mut uv_loop_t, handle: *mut uv_handle_t) -> c_int;
    pub fn uv_prepare_start(handle: *mut uv_handle_t, callback: Callback) -> c_int;
    pub fn uv_prepare_stop(handle: *mut uv_handle_t) -> c_int;
    pub fn uv_check_init(event_loop: *mut uv_loop_t, handle: *mut uv_handle_t) -> c_int;
    pub fn uv_check_start(handle: *mut uv_handle_t, callback: Callback) -> c_int;
    pub fn uv_check_stop(handle: *mut uv_handle_t) -> c_int;

    pub fn uv_async_init(event_loop: *mut uv_loop_t, handle: *mut uv_handle_t, callback: Callback) -> c_int;
    pub fn uv_async_send(handle: *mut uv_handle_t) -> c_int;

    pub fn uv_poll_init(event_loop: *mut uv_loop_t, handle: *mut uv_handle_t, fd: c_int) -> c_int;
    pub fn uv_poll_start(handle: *mut uv_handle_t, events: c_int, callback: PollCallback) -> c_int;
    pub fn uv_poll_stop(handle: *mut uv_handle_t) -> c_int;

    pub fn uv_signal_init(event_loop: *mut uv_loop_t, handle: *mut uv_handle_t) -> c_int;
    pub fn uv_signal_start(handle: *mut uv_handle_t, callback: SignalCallback, signum: c_int) -> c_int;
    pub fn uv_signal_start_oneshot(
        handle: *mut uv_handle_t,
        callback: SignalCallback,
        signum: c_int,
    ) -> c_int;
    pub fn uv_signal_stop(handle: *mut uv_handle_t) -> c_int;

    // native/shim.c
    pub fn conformance_watcher_queue_is_empty(event_loop: *const uv_loop_t) -> c_int;
    pub fn conformance_signal_forget_caught(handle: *mut uv_handle_t);
    pub fn conformance_signal_is_oneshot(handle: *const uv_handle_t) -> c_int;
    pub fn conformance_signal_make_lasting(handle: *mut uv_handle_t);
    pub fn conformance_poll_forget_descriptor(handle: *mut uv_handle_t, unused: c_int);
    pub fn conformance_signal_number(handle: *const uv_handle_t) -> c_int;
}

/// uv_handle_type.
pub const KINDS: std::ops::Range<c_int> = 1..18;
/// Of uv_handle_type.
pub const SIGNAL: c_int = 16;
pub const EINVAL: c_int = -libc::EINVAL;

/// libuv's name for an error.
pub fn error_name(error: c_int) -> String {
    let mut buffer = [0; 64];
    // SAFETY: the buffer is as long as it is said to be, and libuv writes a string into it.
    unsafe {
        uv_err_name_r(error, buffer.as_mut_ptr().cast(), buffer.len());
    }
    let end = buffer.iter().position(|&byte| byte == 0).unwrap_or(buffer.len());
    String::from_utf8_lossy(&buffer[..end]).into_owned()
}

/// "ok", or the name of the error.
pub fn done(status: c_int) -> String {
    if status < 0 { error_name(status) } else { "ok".into() }
}
