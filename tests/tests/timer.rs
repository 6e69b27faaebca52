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
fn timer_once_repeating_and_stopped() {
    check(TIMER_ONCE_REPEATING_AND_STOPPED);
}

#[test]
fn timer_new_is_not_active() {
    check(TIMER_NEW_IS_NOT_ACTIVE);
}

#[test]
fn timer_again_puts_off_the_deadline() {
    check(TIMER_AGAIN_PUTS_OFF_THE_DEADLINE);
}

#[test]
fn timer_started_twice_is_called_once() {
    check(TIMER_STARTED_TWICE_IS_CALLED_ONCE);
}

#[test]
fn timer_zero_timeout_waits_for_the_next_phase() {
    check(TIMER_ZERO_TIMEOUT_WAITS_FOR_THE_NEXT_PHASE);
}

#[test]
fn timer_huge_timeout_does_not_hold_up_others() {
    check(TIMER_HUGE_TIMEOUT_DOES_NOT_HOLD_UP_OTHERS);
}

#[test]
fn timer_huge_repeat_is_not_called_again() {
    check(TIMER_HUGE_REPEAT_IS_NOT_CALLED_AGAIN);
}

#[test]
fn timer_due_in_a_run_once() {
    check(TIMER_DUE_IN_A_RUN_ONCE);
}

#[test]
fn timer_started_in_check() {
    check(TIMER_STARTED_IN_CHECK);
}

#[test]
fn timer_start_while_closing_is_refused() {
    check(TIMER_START_WHILE_CLOSING_IS_REFUSED);
}

#[test]
fn timer_is_called_once_after_a_delay() {
    check(TIMER_IS_CALLED_ONCE_AFTER_A_DELAY);
}

#[test]
fn timer_made_ahead() {
    check(TIMER_MADE_AHEAD);
}

#[test]
fn timer_real_time() {
    let output = run(TIMER_REAL_TIME, |_| {});
    // The loop's time is cut to whole milliseconds.
    assert!(output.wall >= Duration::from_millis(119), "{:?}", output.wall);
    assert_eq!(output.succeeded(), ["called"]);
}
