//! Status codes: libuv's names for whatever goes wrong.

use uv_handles_tests::os::stream_pair;
use uv_handles_tests::*;

foreach_status!(assert_test_exists);

#[test]
fn status_names_and_messages() {
    check(STATUS_NAMES_AND_MESSAGES);
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
