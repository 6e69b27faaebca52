//! The loop: run modes, stopping, closing, time, and more than one loop in a guest.

use uv_handles_tests::*;

foreach_event_loop!(assert_test_exists);

#[test]
fn event_loop_run_modes() {
    check(EVENT_LOOP_RUN_MODES);
}

#[test]
fn event_loop_mode_once() {
    check(EVENT_LOOP_MODE_ONCE);
}

#[test]
fn event_loop_alive() {
    check(EVENT_LOOP_ALIVE);
}

#[test]
fn event_loop_poll_timeout() {
    check(EVENT_LOOP_POLL_TIMEOUT);
}

#[test]
fn event_loop_stop() {
    check(EVENT_LOOP_STOP);
}

#[test]
fn event_loop_close() {
    check(EVENT_LOOP_CLOSE);
}

#[test]
fn event_loop_nested() {
    check(EVENT_LOOP_NESTED);
}

#[test]
fn event_loop_two_loops() {
    check(EVENT_LOOP_TWO_LOOPS);
}

#[test]
fn event_loop_pull_refused() {
    check(EVENT_LOOP_PULL_REFUSED);
}

#[test]
fn event_loop_dropped_first() {
    check(EVENT_LOOP_DROPPED_FIRST);
}

#[test]
fn event_loop_limit() {
    let output = run(EVENT_LOOP_LIMIT, |uv| {
        uv.limits(|limits| limits.loops = 3);
    });
    output.succeeded();
}

#[test]
fn event_loop_time_refreshed() {
    check(EVENT_LOOP_TIME_REFRESHED);
}

#[test]
fn event_loop_time() {
    run(EVENT_LOOP_TIME, |_| {}).succeeded();
}
