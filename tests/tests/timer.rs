//! Timers. All but one run in virtual time, so that nothing depends on how busy the machine is.

use std::time::Duration;
use uv_handles_tests::*;

foreach_timer!(assert_test_exists);

generate_tests! { check:
    timer_once,
    timer_a_day_passes_at_once,
    timer_start_order,
    timer_repeat,
    timer_again,
    timer_set_repeat,
    timer_due_batch,
    timer_limits_of_time,
    timer_once_repeating_and_stopped,
    timer_new_is_not_active,
    timer_again_puts_off_the_deadline,
    timer_started_twice_is_called_once,
    timer_zero_timeout_waits_for_the_next_phase,
    timer_huge_timeout_does_not_hold_up_others,
    timer_huge_repeat_is_not_called_again,
    timer_due_in_a_run_once,
    timer_started_in_check,
    timer_start_while_closing_is_refused,
    timer_is_called_once_after_a_delay,
    timer_made_ahead,
}

#[test]
fn timer_real_time() {
    let output = run(TIMER_REAL_TIME, |_| {});
    // The loop's time is cut to whole milliseconds.
    assert!(output.wall >= Duration::from_millis(119), "{:?}", output.wall);
    assert_eq!(output.succeeded(), ["called"]);
}
