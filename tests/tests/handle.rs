//! What all kinds of handles have in common: closing, references, dropping, and their number.

use uv_handles_tests::os::stream_pair;
use uv_handles_tests::*;

foreach_handle!(assert_test_exists);

#[test]
fn handle_close_order() {
    check(HANDLE_CLOSE_ORDER);
}

#[test]
fn handle_close_in_callbacks() {
    check(HANDLE_CLOSE_IN_CALLBACKS);
}

#[test]
fn handle_made_in_a_close_callback() {
    check(HANDLE_MADE_IN_A_CLOSE_CALLBACK);
}

#[test]
fn handle_detached() {
    check(HANDLE_DETACHED);
}

#[test]
fn handle_closed_after_check() {
    check(HANDLE_CLOSED_AFTER_CHECK);
}

/// Runs a guest that makes handles of all kinds, and so needs a socket and a signal.
fn check_all_kinds(name: &str) {
    for configuration in [Configuration::Recommended, Configuration::Default] {
        let (_ours, theirs) = stream_pair();
        let output = Guest::new(name).configuration(configuration).run(|uv| {
            uv.virtual_time(true).signal(libc::SIGWINCH).descriptor("socket", theirs).unwrap();
            uv.wake_up("tick");
        });
        output.succeeded();
    }
}

#[test]
fn handle_base_members() {
    check_all_kinds(HANDLE_BASE_MEMBERS);
}

#[test]
fn handle_dropped_resources() {
    check_all_kinds(HANDLE_DROPPED_RESOURCES);
}

#[test]
fn handle_active_while_started() {
    check_all_kinds(HANDLE_ACTIVE_WHILE_STARTED);
}

#[test]
fn handle_unreferenced_ends_the_run() {
    check_all_kinds(HANDLE_UNREFERENCED_ENDS_THE_RUN);
}

#[test]
fn handle_without_a_callback() {
    check_all_kinds(HANDLE_WITHOUT_A_CALLBACK);
}

#[test]
fn handle_callbacks_never_nest() {
    check_all_kinds(HANDLE_CALLBACKS_NEVER_NEST);
}

#[test]
fn handle_limit() {
    let output = run(HANDLE_LIMIT, |uv| {
        uv.limits(|limits| limits.handles = 5);
        uv.wake_up("tick");
        uv.wake_up("tock");
    });
    output.succeeded();
}
