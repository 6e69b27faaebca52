//! The loop: run modes, stopping, closing, time, and more than one loop in a guest.

use uv_handles_tests::*;

#[cfg(target_os = "linux")]
foreach_event_loop!(assert_test_exists);

generate_tests! { check:
    event_loop_run_modes,
    event_loop_mode_once,
    event_loop_alive,
    event_loop_poll_timeout,
    event_loop_stop,
    event_loop_close,
    event_loop_nested,
    event_loop_two_loops,
    event_loop_next_refused,
    event_loop_as_if_one_at_a_time,
    event_loop_dropped_first,
    event_loop_time_refreshed,
    event_loop_once_is_one_iteration,
    event_loop_goes_on_after_a_stop,
    event_loop_stopped_before_the_run,
    event_loop_after_another,
    event_loop_lists_handles_until_they_are_closed,
}

// The adapter hands over one event at a time.
generate_tests! { check_native:
    event_loop_batches,
    event_loop_next_callbacks,
}

#[test]
fn event_loop_next_waits() {
    check(EVENT_LOOP_NEXT_WAITS);
    // That is in virtual time, in which a wait for a timer is over at once.
    run(EVENT_LOOP_NEXT_WAITS, |_| {}).succeeded();
}

#[test]
fn event_loop_limit() {
    let output = run(EVENT_LOOP_LIMIT, |uv| {
        uv.limits(|limits| limits.loops = 3);
    });
    output.succeeded();
}

#[test]
fn event_loop_time() {
    run(EVENT_LOOP_TIME, |_| {}).succeeded();
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
        granted = Some(uv.async_sender("wake-up"));
    });
    guest.expect("waiting");
    granted.unwrap().send().unwrap();
    guest.wait().succeeded();
}

#[cfg(target_os = "linux")]
#[test]
fn event_loop_wait_survives_signals() {
    use std::sync::atomic::{AtomicU32, Ordering};
    use uv_handles_tests::os::install;

    /// The number of calls of the embedder's own handler of SIGUSR1.
    static INTERRUPTED: AtomicU32 = AtomicU32::new(0);
    extern "C" fn interrupted(_: libc::c_int) {
        INTERRUPTED.fetch_add(1, Ordering::SeqCst);
    }
    install(libc::SIGUSR1, interrupted);
    let mut granted = None;
    let mut guest = spawn(EVENT_LOOP_WAIT_SURVIVES_SIGNALS, |uv| granted = Some(uv.async_sender("wake-up")));
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
