//! Operations of all kinds of handles: closing, references, dropping, and their number.

use uv_handles_tests::os::{SIGWINCH, stream_pair};
use uv_handles_tests::*;

foreach_handle!(assert_test_exists);

generate_tests! { check:
    handle_close_order,
    handle_close_in_callbacks,
    handle_made_in_a_close_callback,
    handle_detached,
    handle_closed_after_check,
}

generate_tests! { check_all_kinds:
    handle_base_members,
    handle_dropped_resources,
    handle_active_while_started,
    handle_unreferenced_ends_the_run,
    handle_without_a_callback,
    handle_callbacks_never_nest,
}

/// Runs a guest that makes handles of all kinds, and so needs a socket and a signal.
fn check_all_kinds(guest: Case) {
    for configuration in [Configuration::Recommended, Configuration::Default] {
        let (_ours, theirs) = stream_pair();
        let output = Guest::new(guest).configuration(configuration).run(|uv| {
            uv.virtual_time(true).signal(SIGWINCH).descriptor("socket", theirs).unwrap();
            uv.async_sender("tick");
        });
        output.succeeded();
    }
}

#[test]
fn handle_limit() {
    let output = run(HANDLE_LIMIT, |uv| {
        uv.limits(|limits| limits.handles = 5);
        uv.async_sender("tick");
        uv.async_sender("tock");
    });
    output.succeeded();
}
