//! Scripts: under `uv-run`, and their functions as an embedder calls them.

use crate::process::{Process, uv_run_file};
use crate::{State, build_dir, runtime_linker};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Once, OnceLock};
use uv_handles_host::{UvCtx, UvCtxBuilder};
use wasmtime::component::{Component, ComponentExportIndex, ComponentType, InstancePre, Lift};
use wasmtime::{Cache, Engine, Store};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

/// The root of the repository.
///
/// # Panics
///
/// If it is gone.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("it exists")
}

/// A language of scripts.
#[allow(missing_debug_implementations, reason = "InstancePre has none")]
pub struct Language {
    /// The name in commands and directories.
    key: &'static str,
    extension: &'static str,
    /// The environment variable that names the runtime.
    variable: &'static str,
    /// The runtime has been compiled by uv-run.
    compiled: Once,
    embedded: OnceLock<Embedded>,
}

/// Instances of a runtime at a time: tests run side by side.
const GUESTS: u32 = 32;

/// CPython.
pub static PYTHON: Language = Language::new("python", "py", "UV_HANDLES_PYTHON");

/// QuickJS.
pub static JAVASCRIPT: Language = Language::new("javascript", "js", "UV_HANDLES_JAVASCRIPT");

impl Language {
    const fn new(key: &'static str, extension: &'static str, variable: &'static str) -> Language {
        Language { key, extension, variable, compiled: Once::new(), embedded: OnceLock::new() }
    }

    fn dir(&self) -> PathBuf {
        build_dir().with_file_name(self.key)
    }

    /// The runtime.
    ///
    /// # Panics
    ///
    /// If it has not been built.
    pub fn runtime(&self) -> PathBuf {
        let file = std::env::var_os(self.variable)
            .map(PathBuf::from)
            .unwrap_or_else(|| self.dir().join(format!("uv-{}.wasm", self.key)));
        assert!(file.is_file(), "there is no {}: run `cargo xtask {}` first", file.display(), self.key);
        file
    }

    /// `uv-run` with this script; streams are pipes unless the caller says otherwise.
    ///
    /// # Panics
    ///
    /// If uv-run or the runtime has not been built.
    pub fn uv_run_script(&self, options: &[&str], script: &Path) -> Command {
        // Compiles and keeps the runtime once, before any test counts on its patience.
        self.compiled.call_once(|| {
            let (_dir, nothing) = self.script("");
            let output = self.command(&[], &nothing).output().expect("uv-run can be started");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        });
        self.command(options, script)
    }

    /// `uv-run` in a directory, with these arguments.
    pub fn in_dir(&self, dir: &Path, arguments: &[&str]) -> Command {
        let mut command = self.uv_run_script(&[], Path::new(arguments[0]));
        command.args(&arguments[1..]).current_dir(dir);
        command
    }

    fn command(&self, options: &[&str], script: &Path) -> Command {
        let mut command = uv_run_file(options, script);
        command.env(self.variable, self.runtime());
        // Not the user's cache: this one belongs to the tests and is writable.
        command.env("XDG_CACHE_HOME", self.dir().join("cache"));
        command
    }

    /// `uv-run` with an example of this language.
    pub fn example(&self, options: &[&str], name: &str) -> Command {
        let dir = root().join("examples").join(self.key);
        self.uv_run_script(options, &dir.join(name).with_extension(self.extension))
    }

    /// Runs a text as a script in a directory of its own, under the name `script`.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub fn run(&self, options: &[&str], text: impl AsRef<[u8]>) -> Ended {
        let (_dir, script) = self.script(text);
        Ended::of(self.uv_run_script(options, &script))
    }

    /// Writes a text as a script, in a directory of its own.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn script(&self, text: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("the OS has a place for files");
        let script = dir.path().join("script").with_extension(self.extension);
        std::fs::write(&script, text).expect("the file can be written");
        (dir, script)
    }

    /// The runtime, compiled once.
    ///
    /// # Panics
    ///
    /// If it has not been built, or is none.
    pub fn embedded(&self) -> &Embedded {
        self.embedded.get_or_init(|| Embedded::new(&self.runtime()).expect("it is a runtime"))
    }

    /// Calls a function of a script in a fresh instance. Returns its result, and what it printed.
    ///
    /// # Panics
    ///
    /// If the script traps.
    pub fn call_with(
        &self,
        source: &str,
        function: &str,
        arguments: &str,
        grant: impl FnOnce(&mut UvCtxBuilder),
    ) -> (Result<String, Raised>, String) {
        let embedded = self.embedded();
        let mut uv = UvCtx::builder();
        grant(&mut uv);
        let (mut store, stdout) = embedded.store(uv.build());
        let instance = embedded.instance.instantiate(&mut store).expect("the runtime begins");
        type Params<'a> = (&'a str, &'a [u8], &'a [String], &'a str, &'a str);
        let call = instance
            .get_typed_func::<Params<'_>, (Result<String, Raised>,)>(&mut store, embedded.call)
            .expect("it has this type");
        let name = format!("script.{}", self.extension);
        let params = (name.as_str(), source.as_bytes(), &[][..], function, arguments);
        let (result,) = call.call(&mut store, params).expect("the script does not trap");
        (result, printed(&stdout))
    }

    /// Calls a function of a script, as `call_with`, without grants.
    ///
    /// # Errors
    ///
    /// The exception that the function raised.
    pub fn call(&self, source: &str, function: &str, arguments: &str) -> Result<String, Raised> {
        self.call_with(source, function, arguments, |_| {}).0
    }

    /// Runs a script in a fresh instance. Returns its exit code, and what it printed.
    ///
    /// # Errors
    ///
    /// The trap, if it traps: that of an epoch after so many of them, for one.
    pub fn run_in_instance(&self, source: &str, epochs: u64) -> wasmtime::Result<(u8, String)> {
        let embedded = self.embedded();
        let (mut store, stdout) = embedded.store(UvCtx::builder().build());
        store.set_epoch_deadline(epochs);
        let instance = embedded.instance.instantiate(&mut store)?;
        type Params<'a> = (&'a str, &'a [u8], &'a [String], &'a [String]);
        let run = instance.get_typed_func::<Params<'_>, (u8,)>(&mut store, embedded.run)?;
        let name = format!("script.{}", self.extension);
        let (code,) = run.call(&mut store, (&name, source.as_bytes(), &[], &[]))?;
        Ok((code, printed(&stdout)))
    }
}

/// A runtime that is compiled in this process.
#[allow(missing_debug_implementations, reason = "InstancePre has none")]
pub struct Embedded {
    /// Its engine. No thread increments its epoch unless a test does.
    pub engine: Engine,
    instance: InstancePre<State>,
    run: ComponentExportIndex,
    call: ComponentExportIndex,
}

impl Embedded {
    fn new(runtime: &Path) -> wasmtime::Result<Embedded> {
        let mut config = uv_handles_host::engine_config(GUESTS);
        config.cache(Some(Cache::from_file(None)?));
        let engine = Engine::new(&config)?;
        let component = Component::from_file(&engine, runtime)?;
        let scripts = component.get_export_index(None, "uv:scripts/scripts@0.1.0");
        let function = |name: &str| component.get_export_index(scripts.as_ref(), name);
        let [run, call] = ["run", "call"].map(|name| function(name).expect("a runtime exports it"));
        let instance = runtime_linker(&engine, &component)?.instantiate_pre(&component)?;
        Ok(Embedded { engine, instance, run, call })
    }

    fn store(&self, uv: UvCtx) -> (Store<State>, MemoryOutputPipe) {
        let stdout = MemoryOutputPipe::new(4096);
        let wasi = WasiCtx::builder().stdout(stdout.clone()).build();
        let mut store = Store::new(&self.engine, State::new(uv, wasi));
        store.set_epoch_deadline(u64::MAX / 2);
        (store, stdout)
    }
}

fn printed(stdout: &MemoryOutputPipe) -> String {
    String::from_utf8(stdout.contents().to_vec()).expect("scripts print text")
}

/// The record `raised` of the runtimes' WIT.
#[derive(Debug, PartialEq, ComponentType, Lift)]
#[component(record)]
pub struct Raised {
    /// The kind of the error.
    pub kind: String,
    /// Its message.
    pub message: String,
    /// Where it was raised.
    pub traceback: String,
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

    /// Asserts that uv-run refuses in one sentence with these words, and that nothing has run.
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn refused(&self, expected: &[&str]) {
        assert_eq!((self.code, self.stdout.len(), self.stderr.len()), (2, 0, 1), "{self:?}");
        for words in expected {
            assert!(self.stderr[0].starts_with("uv-run: ") && self.stderr[0].contains(words), "{self:?}");
        }
    }
}
