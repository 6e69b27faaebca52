//! Console control events, by the numbers of the signals that libuv makes of them.

#![expect(unsafe_code, reason = "the function of the system is C")]

use std::io;

pub const SIGHUP: i32 = 1;
pub const SIGINT: i32 = 2;
pub const SIGBREAK: i32 = 21;

const CTRL_C_EVENT: u32 = 0;
const CTRL_BREAK_EVENT: u32 = 1;
const CTRL_CLOSE_EVENT: u32 = 2;

/// A function that is called with an event, in a thread of its own. It returns 0 to leave the event
/// to the next one.
pub type Handler = unsafe extern "system" fn(u32) -> i32;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn SetConsoleCtrlHandler(handler: Option<Handler>, add: i32) -> i32;
}

/// Calls this function for events from now on.
pub fn add(handler: Handler) -> io::Result<()> {
    // SAFETY: the function has the type of a handler, and stays for the life of the process.
    match unsafe { SetConsoleCtrlHandler(Some(handler), 1) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// The signal of an event. None for those at the end of a session.
pub fn signal(event: u32) -> Option<i32> {
    match event {
        CTRL_C_EVENT => Some(SIGINT),
        CTRL_BREAK_EVENT => Some(SIGBREAK),
        CTRL_CLOSE_EVENT => Some(SIGHUP),
        _ => None,
    }
}
