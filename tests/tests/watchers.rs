//! Idle, prepare and check handles, and the phases of an iteration. All but one in virtual time.

use uv_handles_tests::*;

foreach_watchers!(assert_test_exists);

generate_tests! { check:
    watchers_order,
    watchers_phases,
    watchers_idle_does_not_wait,
    watchers_started_inside_the_phase,
    watchers_callback_replaced,
    watchers_unreferenced,
    watchers_idle_that_stops_does_not_wait,
    watchers_start_and_stop_each_other,
    watchers_closed_in_the_phase_are_not_called,
    watchers_dereferenced_in_the_callback,
}

#[test]
fn watchers_idle_does_not_starve_others() {
    run(WATCHERS_IDLE_DOES_NOT_STARVE_OTHERS, |_| {}).succeeded();
}
