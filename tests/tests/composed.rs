//! Guests that are composed with the adapter, on a runtime that has WASI and nothing of ours. The guests of
//! other suites run composed as well, where the harness's `check` runs them.

use std::time::{Duration, Instant};
use uv_handles_tests::plain::{Time, composed, run_plain};
use uv_handles_tests::*;

foreach_composed!(assert_test_exists);

#[test]
fn the_examples_run_unchanged() {
    let begin = Instant::now();
    assert_eq!(run_plain(&composed("first-timer").unwrap(), Time::Real, &[]), ["half a second later"]);
    assert!(begin.elapsed() >= Duration::from_millis(500));
    let env = [("TICKER_PERIOD_MS", "100"), ("TICKER_TICKS", "3")];
    assert_eq!(run_plain(&composed("ticker").unwrap(), Time::Real, &env), ["tick 1", "tick 2", "tick 3"]);
}

#[test]
fn a_day_takes_no_time_if_the_runtimes_clock_is_virtual() {
    assert_eq!(run_plain(&composed("first-timer").unwrap(), Time::Virtual, &[]), ["half a second later"]);
    run_plain(&composed(TIMER_A_DAY_PASSES_AT_ONCE).unwrap(), Time::Virtual, &[]);
}

#[test]
fn most_guests_that_need_nothing_from_outside_can_be_composed() {
    let dir = component("first-timer").with_file_name("composed");
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let wasm = files.filter(|name| name.to_string_lossy().ends_with(".wasm")).count();
    assert!(wasm >= 40, "{wasm}");
}

#[test]
fn composed_refused() {
    // It uses everything, so it is among those that miss something.
    let file = component("first-timer").with_file_name("composed/partial/composed_refused.wasm");
    assert_eq!(run_plain(&file, Time::Virtual, &[]), ["refused as documented"]);
}
