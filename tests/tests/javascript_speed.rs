//! The start-up time of a script in JavaScript: printed, not asserted, because it depends on the
//! machine.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use uv_handles_tests::process::Process;
use uv_handles_tests::script::JAVASCRIPT;

const RUNS: usize = 20;

/// Held during a measurement: the other test would use the processor.
static ALONE: Mutex<()> = Mutex::new(());

/// Prints although the test passes: libtest captures the output of `println`.
fn report(what: &str, goal: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let (median, least) = (times[times.len() / 2], times[0]);
    let line = format!("measured: {what}: median {median:.2?}, least {least:.2?} (goal: {goal})\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

#[test]
fn from_start_to_the_first_line() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.js");
    std::fs::write(&script, "console.log('first')").unwrap();
    let one = || {
        let command = JAVASCRIPT.uv_run_script(&[], &script);
        let begin = Instant::now();
        let mut process = Process::spawn(command);
        assert_eq!(process.stdout.next_line().as_deref(), Some("first"));
        let time = begin.elapsed();
        assert_eq!(process.exit_code(), 0);
        time
    };
    one();
    report("uv-run script.js, from its start to the first line", "25 ms", (0..RUNS).map(|_| one()).collect());
}

#[test]
fn a_fresh_instance_for_an_embedder() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let one = || {
        let begin = Instant::now();
        let (code, printed) = JAVASCRIPT.run_in_instance("console.log('first')", 1).unwrap();
        assert_eq!((code, printed.as_str()), (0, "first\n"));
        begin.elapsed()
    };
    one();
    report("a script in a fresh instance, for an embedder", "2 ms", (0..RUNS * 10).map(|_| one()).collect());
}

#[test]
fn the_memory_of_an_idle_script() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let text = "setTimeout(() => console.log(process.memoryUsage().rss), 1)";
    let (_, printed) = JAVASCRIPT.run_in_instance(text, 1).unwrap();
    let bytes: usize = printed.trim().parse().unwrap();
    let line = format!("measured: the memory of an idle script: {} KiB (goal: 2048 KiB)\n", bytes >> 10);
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}
