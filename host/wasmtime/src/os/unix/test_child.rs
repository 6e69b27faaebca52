//! Unit tests in a process of their own.

use std::env;
use std::ffi::OsString;
use std::process::Command;

/// Set in the process.
const IN_CHILD: &str = "UV_HANDLES_TEST_IN_CHILD";

/// Calls `test` in a process of its own, in which SIGPIPE does what it does by default. `name` is the
/// name of the unit test that calls this. `UV_HANDLES_RUNNER` is a program that runs the process,
/// for programs of another system.
pub(crate) fn with_default_sigpipe(name: &str, test: impl FnOnce()) {
    if env::var_os(IN_CHILD).is_some() {
        #[expect(unsafe_code, reason = "the standard library cannot do it")]
        // SAFETY: the default action; no other test runs in this process.
        unsafe {
            libc::signal(libc::SIGPIPE, libc::SIG_DFL)
        };
        return test();
    }
    let this = env::current_exe().unwrap().into_os_string();
    let words: Vec<OsString> = env::var_os("UV_HANDLES_RUNNER").into_iter().chain([this]).collect();
    let mut child = Command::new(&words[0]);
    let child = child.args(&words[1..]).args(["--exact", name]).env(IN_CHILD, "1").output().unwrap();
    let stdout = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && stdout.contains("1 passed"), "{}: {stdout}", child.status);
}
