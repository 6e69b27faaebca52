//! Python scripts under `uv-run`.

use crate::build_dir;
use crate::process::{Process, uv_run_file};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("it exists")
}

/// The runtime.
///
/// # Panics
///
/// If it has not been built.
pub fn runtime() -> PathBuf {
    let file = std::env::var_os("UV_HANDLES_PYTHON")
        .map(PathBuf::from)
        .unwrap_or_else(|| build_dir().with_file_name("python").join("uv-python.wasm"));
    assert!(file.is_file(), "there is no {}: run `cargo xtask python` first", file.display());
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
        let nothing = dir.path().join("nothing.py");
        std::fs::write(&nothing, "").expect("the file can be written");
        let output = command(&[], &nothing).output().expect("uv-run can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
    command(options, script)
}

fn command(options: &[&str], script: &Path) -> Command {
    let mut command = uv_run_file(options, script);
    command.env("UV_HANDLES_PYTHON", runtime());
    // Not the user's cache: this one belongs to the tests and is writable.
    command.env("XDG_CACHE_HOME", build_dir().with_file_name("python").join("cache"));
    command
}

/// The end of a script.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub stdout: Vec<String>,
    /// Its standard error, and uv-run's.
    pub stderr: Vec<String>,
}

impl Ended {
    /// Runs a command to its end.
    pub fn of(command: Command) -> Ended {
        let mut process = Process::spawn(command);
        let code = process.exit_code();
        Ended { code, stdout: process.stdout.all(), stderr: process.stderr.all() }
    }

    /// Runs a text as a script in a directory of its own, under the name `script.py`.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub fn of_text(options: &[&str], text: impl AsRef<[u8]>) -> Ended {
        let dir = tempfile::tempdir().expect("the OS has a place for files");
        let script = dir.path().join("script.py");
        std::fs::write(&script, text).expect("the file can be written");
        Ended::of(uv_run_script(options, &script))
    }

    /// Asserts that it succeeded and printed these lines.
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn printed(&self, lines: &[&str]) {
        assert_eq!(self.code, 0, "{self:?}");
        assert_eq!(self.stdout, lines, "{self:?}");
    }
}
