//! Idle, prepare and check handles, and the phases of an iteration. In virtual time.

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
