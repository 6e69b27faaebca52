//! The loop: run modes, stopping, closing, time, and more than one loop in a guest.

use std::sync::atomic::{AtomicU32, Ordering};
use uv_handles_tests::os::install;
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

/// Not composed: the adapter hands over one at a time.
fn check_batches(name: &str) {
    for configuration in [Configuration::Recommended, Configuration::Default] {
        let guest = Guest::new(name).configuration(configuration);
        let output = guest.run(|uv| {
            uv.virtual_time(true);
        });
        output.succeeded();
    }
}

#[test]
fn event_loop_batches() {
    check_batches(EVENT_LOOP_BATCHES);
}

#[test]
fn event_loop_pull_callbacks() {
    check_batches(EVENT_LOOP_PULL_CALLBACKS);
}

#[test]
fn event_loop_as_if_one_at_a_time() {
    check(EVENT_LOOP_AS_IF_ONE_AT_A_TIME);
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

#[test]
fn event_loop_once_is_one_iteration() {
    check(EVENT_LOOP_ONCE_IS_ONE_ITERATION);
}

#[test]
fn event_loop_goes_on_after_a_stop() {
    check(EVENT_LOOP_GOES_ON_AFTER_A_STOP);
}

#[test]
fn event_loop_stopped_before_the_run() {
    check(EVENT_LOOP_STOPPED_BEFORE_THE_RUN);
}

#[test]
fn event_loop_after_another() {
    check(EVENT_LOOP_AFTER_ANOTHER);
}

#[test]
fn event_loop_lists_handles_until_they_are_closed() {
    check(EVENT_LOOP_LISTS_HANDLES_UNTIL_THEY_ARE_CLOSED);
}

#[test]
fn event_loop_run_refreshes_the_time() {
    run(EVENT_LOOP_RUN_REFRESHES_THE_TIME, |_| {}).succeeded();
}

#[test]
fn event_loop_embedded() {
    let mut granted = None;
    let mut guest = spawn(EVENT_LOOP_EMBEDDED, |uv| {
        uv.virtual_time(true);
        granted = Some(uv.wake_up("wake-up"));
    });
    guest.expect("waiting");
    granted.unwrap().send().unwrap();
    guest.wait().succeeded();
}

/// How often the embedder's own handler of SIGUSR1 was called.
static INTERRUPTED: AtomicU32 = AtomicU32::new(0);

extern "C" fn interrupted(_: libc::c_int) {
    INTERRUPTED.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn event_loop_wait_survives_signals() {
    install(libc::SIGUSR1, interrupted);
    let mut granted = None;
    let mut guest = spawn(EVENT_LOOP_WAIT_SURVIVES_SIGNALS, |uv| granted = Some(uv.wake_up("wake-up")));
    guest.expect("waiting");
    let thread = guest.thread();
    for times in 1..=20 {
        wait_until("the guest waits", || thread.waits());
        thread.kill(libc::SIGUSR1);
        wait_until("its thread is interrupted", || INTERRUPTED.load(Ordering::SeqCst) == times);
    }
    wait_until("the guest waits again", || thread.waits());
    granted.unwrap().send().unwrap();
    guest.wait().succeeded();
}
