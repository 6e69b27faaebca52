//! Scripts in JavaScript under `uv-run`.

use crate::build_dir;
use crate::process::uv_run_file;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

pub use crate::python::{Ended, root};

/// The runtime.
///
/// # Panics
///
/// If it has not been built.
pub fn runtime() -> PathBuf {
    let file = std::env::var_os("UV_HANDLES_JAVASCRIPT")
        .map(PathBuf::from)
        .unwrap_or_else(|| build_dir().with_file_name("javascript").join("uv-javascript.wasm"));
    assert!(file.is_file(), "there is no {}: run `cargo xtask javascript` first", file.display());
    file
}

/// `uv-run` with this script; streams are pipes unless the caller says otherwise.
///
/// # Panics
///
/// If uv-run or the runtime has not been built.
pub fn uv_run_script(options: &[&str], script: &Path) -> Command {
    static COMPILED: Once = Once::new();
    // Compiles and keeps the runtime once, before any test counts on its patience.
    COMPILED.call_once(|| {
        let dir = tempfile::tempdir().expect("the OS has a place for files");
        let nothing = dir.path().join("nothing.js");
        std::fs::write(&nothing, "").expect("the file can be written");
        let output = command(&[], &nothing).output().expect("uv-run can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
    command(options, script)
}

fn command(options: &[&str], script: &Path) -> Command {
    let mut command = uv_run_file(options, script);
    command.env("UV_HANDLES_JAVASCRIPT", runtime());
    // Not the user's cache: this one belongs to the tests and is writable.
    command.env("XDG_CACHE_HOME", build_dir().with_file_name("javascript").join("cache"));
    command
}

/// Runs a text as a script in a directory of its own, under the name `script.js`.
///
/// # Panics
///
/// If it does not end.
pub fn run(options: &[&str], text: impl AsRef<[u8]>) -> Ended {
    let dir = tempfile::tempdir().expect("the OS has a place for files");
    let script = dir.path().join("script.js");
    std::fs::write(&script, text).expect("the file can be written");
    Ended::of(uv_run_script(options, &script))
}
