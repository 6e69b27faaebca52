//! Timers. All but one run in virtual time, so that nothing depends on how busy the machine is.

use std::time::Duration;
use uv_handles_tests::*;

foreach_timer!(assert_test_exists);

#[test]
fn timer_once() {
    check(TIMER_ONCE);
}

#[test]
fn timer_a_day_passes_at_once() {
    check(TIMER_A_DAY_PASSES_AT_ONCE);
}

#[test]
fn timer_start_order() {
    check(TIMER_START_ORDER);
}

#[test]
fn timer_repeat() {
    check(TIMER_REPEAT);
}

#[test]
fn timer_again() {
    check(TIMER_AGAIN);
}

#[test]
fn timer_set_repeat() {
    check(TIMER_SET_REPEAT);
}

#[test]
fn timer_due_batch() {
    check(TIMER_DUE_BATCH);
}

#[test]
fn timer_limits_of_time() {
    check(TIMER_LIMITS_OF_TIME);
}

#[test]
fn timer_real_time() {
    let output = run(TIMER_REAL_TIME, |_| {});
    // The loop's time is cut to whole milliseconds.
    assert!(output.wall >= Duration::from_millis(119), "{:?}", output.wall);
    assert_eq!(output.succeeded(), ["called"]);
}
