//! The status codes: libuv's names, Linux's numbers, and the messages of `uv_strerror`.

// Files and pipes are granted.
#![cfg(unix)]

use uv_handles_tests::os::stream_pair;
use uv_handles_tests::*;

foreach_status!(assert_test_exists);

generate_tests! { check:
    status_names_and_messages,
}

/// `status/libuv-1.53.txt` holds the contents of libuv 1.53's `UV_ERRNO_MAP`, with its numbers on
/// Linux.
#[test]
fn status_codes() {
    let printed = run(STATUS_CODES, |_| {}).succeeded();
    let libuv: Vec<&str> = include_str!("status/libuv-1.53.txt").lines().collect();
    assert_eq!(printed[0], "SUCCESS 0 success");
    assert_eq!(printed[1..], libuv);
}

#[test]
fn status_of_system_errors() {
    let (_ours, theirs) = stream_pair();
    let (read, write) = std::io::pipe().unwrap();
    drop(read);
    let dir = tempfile::tempdir().unwrap();
    let output = run(STATUS_OF_SYSTEM_ERRORS, |uv| {
        uv.descriptor("file", tempfile::tempfile().unwrap()).unwrap();
        uv.descriptor("directory", std::fs::File::open(dir.path()).unwrap()).unwrap();
        uv.descriptor("pipe", write).unwrap().descriptor("socket", theirs).unwrap();
    });
    output.succeeded();
}
