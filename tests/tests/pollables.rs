//! Poll handles on pollables of WASI: under the host, and composed with the adapter.

use std::io::Write;
use uv_handles_tests::plain::Plain;
use uv_handles_tests::*;

foreach_pollables!(assert_test_exists);

generate_tests! { check_everywhere:
    pollables_clocks,
    pollables_dropped,
    pollables_many,
    pollables_rules,
    pollables_two_loops,
}

/// In real time, because clocks are pollables here.
fn check_everywhere(guest: Case) {
    for configuration in [Configuration::Recommended, Configuration::Default] {
        Guest::new(guest).configuration(configuration).run(|_| {}).succeeded();
    }
    Plain::composed(guest).run();
}

#[test]
fn pollables_refused() {
    run(POLLABLES_REFUSED, |_| {}).succeeded();
    let limited = Guest::new(POLLABLES_REFUSED).arg("limited");
    limited
        .run(|uv| {
            uv.limits(|limits| limits.handles = 1);
        })
        .succeeded();
    Plain::composed(POLLABLES_REFUSED).run();
}

#[test]
fn pollables_streams() {
    let (read, mut write) = std::io::pipe().unwrap();
    let mut guest = Guest::new(POLLABLES_STREAMS).stdin_pipe(read).spawn(|_| {});
    guest.expect("ready");
    for total in [5, 10] {
        write.write_all(b"hello").unwrap();
        guest.expect(&format!("{total} bytes"));
    }
    drop(write);
    guest.expect("end after 10 bytes");
    guest.line();
    guest.wait().succeeded();
}

#[test]
fn streams_of_a_composed_guest() {
    let (read, mut write) = std::io::pipe().unwrap();
    let mut guest = Plain::composed(POLLABLES_STREAMS).stdin_pipe(read).spawn();
    guest.expect("ready");
    for total in [5, 10] {
        write.write_all(b"hello").unwrap();
        guest.expect(&format!("{total} bytes"));
    }
    drop(write);
    guest.expect("end after 10 bytes");
    guest.line();
    guest.wait().succeeded();
}
