//! Idle, prepare and check handles, and the phases of an iteration. All but one in virtual time.

use uv_handles_tests::*;

foreach_watchers!(assert_test_exists);

#[test]
fn watchers_order() {
    check(WATCHERS_ORDER);
}

#[test]
fn watchers_phases() {
    check(WATCHERS_PHASES);
}

#[test]
fn watchers_idle_does_not_wait() {
    check(WATCHERS_IDLE_DOES_NOT_WAIT);
}

#[test]
fn watchers_started_inside_the_phase() {
    check(WATCHERS_STARTED_INSIDE_THE_PHASE);
}

#[test]
fn watchers_callback_replaced() {
    check(WATCHERS_CALLBACK_REPLACED);
}

#[test]
fn watchers_unreferenced() {
    check(WATCHERS_UNREFERENCED);
}

#[test]
fn watchers_idle_that_stops_does_not_wait() {
    check(WATCHERS_IDLE_THAT_STOPS_DOES_NOT_WAIT);
}

#[test]
fn watchers_start_and_stop_each_other() {
    check(WATCHERS_START_AND_STOP_EACH_OTHER);
}

#[test]
fn watchers_closed_in_the_phase_are_not_called() {
    check(WATCHERS_CLOSED_IN_THE_PHASE_ARE_NOT_CALLED);
}

#[test]
fn watchers_dereferenced_in_the_callback() {
    check(WATCHERS_DEREFERENCED_IN_THE_CALLBACK);
}

#[test]
fn watchers_idle_does_not_starve_others() {
    run(WATCHERS_IDLE_DOES_NOT_STARVE_OTHERS, |_| {}).succeeded();
}
