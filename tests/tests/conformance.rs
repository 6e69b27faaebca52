//! The differential test against native libuv: the programs that once differed, and 2,000 more.

use std::process::Command;

#[test]
fn two_thousand_programs_and_all_that_ever_differed_do_not_differ() {
    let output = Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args(["--programs", "2000", "--seed", "1", "--replay", "conformance/programs"])
        .output()
        .expect("it is built with the tests");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    assert!(text.ends_with("programs: 2000, differing: 0\n"), "{text}\n{errors}");
    assert!(text.contains("replayed: ") && !text.contains("replayed: 0"), "{text}");
    assert!(text.contains("compared with the sandbox: 2000\n"), "{text}");
}

#[test]
fn two_thousand_programs_do_not_differ_when_composed_with_the_adapter() {
    let output = Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args(["--programs", "2000", "--seed", "1", "--guarded", "--kinds", "timer,idle,prepare,check,async"])
        .output()
        .expect("it is built with the tests");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    assert!(
        text.ends_with("compared with the adapter: 2000\nprograms: 2000, differing: 0\n"),
        "{text}\n{errors}"
    );
}
