//! This process and its main thread.

use std::io;
use std::process::Command;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetCurrentThreadStackLimits(low: *mut usize, high: *mut usize);
}

/// The size that the stack of this thread, the main one, can grow to. build.rs has asked for it.
pub fn main_stack() -> usize {
    let (mut low, mut high) = (0, 0);
    #[expect(unsafe_code, reason = "the function of the system is C")]
    // SAFETY: both are valid places for an address.
    unsafe {
        GetCurrentThreadStackLimits(&raw mut low, &raw mut high)
    };
    high.saturating_sub(low)
}

/// Runs another program, and ends this process as it ended. Returns only if it cannot be started.
pub fn replace(command: &mut Command) -> io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}
