//! Tests in a process of their own.

use std::env;
use std::ffi::OsString;
use std::process::Command;

/// This program again, with one of its tests. `UV_HANDLES_RUNNER` is a program that runs it, if it is
/// for another system.
///
/// # Panics
///
/// If the system does not tell where the program is.
pub fn own_process(test: &str) -> Command {
    let program = env::current_exe().expect("this is a program").into_os_string();
    let words: Vec<OsString> = env::var_os("UV_HANDLES_RUNNER").into_iter().chain([program]).collect();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args(["--exact", test]);
    command
}
