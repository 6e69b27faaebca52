//! This process and its main thread.

use rustix::process::{Resource, getrlimit};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The size that the main thread's stack can grow to.
pub fn main_stack() -> usize {
    let limit = getrlimit(Resource::Stack).current;
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Replaces this process by another program. Returns only if that fails.
pub fn replace(command: &mut Command) -> io::Error {
    command.exec()
}
