//! The start-up time of a script: printed, not asserted, because it depends on the machine.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use uv_handles_host::UvCtx;
use uv_handles_tests::process::Process;
use uv_handles_tests::script::PYTHON;
use uv_handles_tests::{State, runtime_linker};
use wasmtime::component::Component;
use wasmtime::{Cache, Config, Engine, Store};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

const RUNS: usize = 20;

/// Held during a measurement: the other test would use the processor.
static ALONE: Mutex<()> = Mutex::new(());

/// Prints although the test passes: libtest captures the output of `println`.
fn report(what: &str, goal: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let (median, least) = (times[times.len() / 2], times[0]);
    let line = format!("measured: {what}: median {median:.1?}, least {least:.1?} (goal: {goal})\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

#[test]
fn from_start_to_the_first_line() {
    measure_first_line("uv-run script.py", "import uv\nprint(uv.Loop.get_current().alive)\n");
}

#[test]
fn from_start_to_the_first_line_of_a_coroutine() {
    let text = "import asyncio\nasync def main(): print(False)\nasyncio.run(main())\n";
    measure_first_line("uv-run script.py, with asyncio.run", text);
}

/// Runs a text that prints "False" as a script.
fn measure_first_line(what: &str, text: &str) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.py");
    std::fs::write(&script, text).unwrap();
    let times = (0..RUNS).map(|_| {
        let command = PYTHON.uv_run_script(&[], &script);
        let begin = Instant::now();
        let mut process = Process::spawn(command);
        assert_eq!(process.stdout.next_line().as_deref(), Some("False"));
        let time = begin.elapsed();
        assert_eq!(process.exit_code(), 0);
        time
    });
    let times = times.collect();
    report(&format!("{what}, from its start to the first line"), "60 ms", times);
}

#[test]
fn a_fresh_instance_for_an_embedder() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut config = Config::new();
    config.concurrency_support(false);
    // The measurement leaves out the compilation, which takes long.
    config.cache(Some(Cache::from_file(None).unwrap()));
    let engine = Engine::new(&config).unwrap();
    let component = Component::from_file(&engine, PYTHON.runtime()).unwrap();
    let scripts = component.get_export_index(None, "uv:scripts/scripts@0.1.0").unwrap();
    let run = component.get_export_index(Some(&scripts), "run").unwrap();
    let pre = runtime_linker(&engine, &component).unwrap().instantiate_pre(&component).unwrap();
    let one = || {
        let begin = Instant::now();
        let stdout = MemoryOutputPipe::new(1024);
        let wasi = WasiCtx::builder().stdout(stdout.clone()).build();
        let mut store = Store::new(&engine, State::new(UvCtx::builder().build(), wasi));
        let instance = pre.instantiate(&mut store).unwrap();
        type Params<'a> = (&'a str, &'a [u8], &'a [String], &'a [String]);
        let run = instance.get_typed_func::<Params<'_>, (u8,)>(&mut store, run).unwrap();
        let source = b"import uv\nprint(uv.Loop.get_current().alive)\n";
        let (code,) = run.call(&mut store, ("script.py", source, &[], &[])).unwrap();
        drop(store);
        assert_eq!((code, &stdout.contents()[..]), (0, &b"False\n"[..]));
        begin.elapsed()
    };
    one();
    report("a script in a fresh instance, for an embedder", "15 ms", (0..RUNS * 10).map(|_| one()).collect());
}
