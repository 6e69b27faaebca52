//! The Python side: a script that interprets programs through the package `uv`, in a fresh instance
//! of the runtime for each.
//!
//! The script gets the program as its argument. It prints the steps that the test has to do for it,
//! and at the end the trace. A thread does the steps and answers on the script's standard input.
//! The script is a module in a directory of its own, where Python keeps it compiled: compiling
//! takes longer than a run.

use crate::program::outside::Outside;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::{io, thread};
use tempfile::TempDir;
use uv_handles_conformance_program::{Outcome, Program};
use uv_handles_tests::script::PYTHON;
use uv_handles_tests::{State, runtime_linker};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};
use wasmtime::error::Context;
use wasmtime::{Cache, CacheConfig, Config, Engine, Result, Store, ensure};
use wasmtime_wasi::cli::{InputFile, OutputFile};
use wasmtime_wasi::{FsPerms, WasiCtx};

const MODULE: &str = "conformance_interpreter";
const INTERPRETER: &str = include_str!("../../../python/conformance_interpreter.py");

/// The guest's name of the module's directory.
const MODULES: &str = "/modules";

/// The runtime, compiled and linked, and the module.
pub struct Python {
    modules: TempDir,
    runtime: InstancePre<State>,
    run: ComponentExportIndex,
}

impl Python {
    pub fn new() -> Python {
        let link = || -> Result<Python> {
            let mut config = Config::new();
            config.concurrency_support(false);
            // Each of the processes needs it, and compiling takes longer than the rest.
            let mut cache = CacheConfig::new();
            cache.with_directory(PYTHON.runtime().with_file_name("cache").join("conformance"));
            config.cache(Some(Cache::new(cache)?));
            let engine = Engine::new(&config)?;
            let component = Component::from_file(&engine, PYTHON.runtime())?;
            let scripts = component.get_export_index(None, "uv:scripts/scripts@0.1.0");
            let run = scripts.and_then(|scripts| component.get_export_index(Some(&scripts), "run"));
            let run = run.context("it does not export uv:scripts/scripts.run")?;
            let modules = tempfile::tempdir()?;
            std::fs::write(modules.path().join(format!("{MODULE}.py")), INTERPRETER)?;
            Ok(Python {
                modules,
                runtime: runtime_linker(&engine, &component)?.instantiate_pre(&component)?,
                run,
            })
        };
        link().unwrap_or_else(|error| panic!("the Python runtime cannot be used: {error:?}"))
    }

    /// Runs a program.
    pub fn run(&self, program: &Program) -> Outcome {
        let outside = Outside::new(program);
        let (uv, _waits) = outside.grant(program);
        let (steps, stdout) = io::pipe().expect("there are descriptors");
        let (stdin, answers) = io::pipe().expect("there are descriptors");
        let server = thread::spawn(move || serve(&outside, steps, answers));
        let mut wasi = WasiCtx::builder();
        wasi.stdin(InputFile::new(File::from(OwnedFd::from(stdin))));
        wasi.stdout(OutputFile::new(File::from(OwnedFd::from(stdout)))).inherit_stderr();
        wasi.allow_blocking_current_thread(true);
        wasi.preopened_dir(self.modules.path(), MODULES, FsPerms::ReadWrite).expect("the directory is there");
        let run = self.run_script(State::new(uv, wasi.build()), &program.to_string());
        // The script's output has ended with its instance.
        let trace = match (run, server.join().expect("the steps can be done")) {
            (Ok(()), Ok(trace)) => trace,
            (Ok(()), Err(error)) => vec![format!("the script cannot be served: {error}")],
            (Err(error), _) => vec![format!("the script fails: {error:?}")],
        };
        Outcome { trace, ..Outcome::default() }
    }

    fn run_script(&self, state: State, program: &str) -> Result<()> {
        let mut store = Store::new(self.runtime.engine(), state);
        let instance = self.runtime.instantiate(&mut store)?;
        type Params<'a> = (&'a str, &'a [u8], &'a [&'a str], &'a [&'a str]);
        let run = instance.get_typed_func::<Params<'_>, (u8,)>(&mut store, self.run)?;
        let script = format!("import {MODULE}\n{MODULE}.main()\n");
        let (code,) = run.call(&mut store, (MODULE, script.as_bytes(), &[program], &[MODULES]))?;
        ensure!(code == 0, "it ends with {code}");
        Ok(())
    }
}

/// Does the steps that the script asks for, until it ends. Returns its trace.
fn serve(outside: &Outside, steps: impl Read, mut answers: impl Write) -> io::Result<Vec<String>> {
    let mut trace = Vec::new();
    for line in BufReader::new(steps).lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("step", step)) => writeln!(answers, "{}", outside.perform(step))?,
            Some(("trace", line)) => trace.push(line.to_owned()),
            _ => trace.push(format!("the script prints: {line}")),
        }
    }
    Ok(trace)
}
