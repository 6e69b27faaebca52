//! The status codes: libuv's names, Linux's numbers, and the messages of `uv_strerror`.

use uv_handles_tests::*;

foreach_status!(assert_test_exists);

/// `status/libuv-1.53.txt` holds what libuv 1.53 has in `UV_ERRNO_MAP`, with its numbers on Linux.
#[test]
fn status_codes() {
    let printed = run(STATUS_CODES, |_| {}).succeeded();
    let libuv: Vec<&str> = include_str!("status/libuv-1.53.txt").lines().collect();
    assert_eq!(printed[0], "SUCCESS 0 success");
    assert_eq!(printed[1..], libuv);
}
