//! The differential test against native libuv: the programs that once differed, and 2,000 more, as
//! a guest in Rust and as a Python script.

// The program compares with libuv for Linux.
#![cfg(target_os = "linux")]

use std::process::Command;
use uv_handles_tests::script::PYTHON;

/// Compares 2,000 programs from this seed, and all that ever differed, with a side.
#[track_caller]
fn nothing_differs(side: &str, seed: &str, options: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args(["--programs", "2000", "--seed", seed, "--replay", "conformance/programs"])
        .args(options)
        .output()
        .expect("it is built with the tests");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    assert!(text.ends_with("programs: 2000, differing: 0\n"), "{text}\n{errors}");
    assert!(text.contains("replayed: ") && !text.contains("replayed: 0"), "{text}");
    assert!(text.contains(&format!("compared with the {side}: 2000\n")), "{text}");
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

#[test]
fn two_thousand_programs_and_all_that_ever_differed_do_not_differ() {
    nothing_differs("sandbox", "1", &[]);
}

#[test]
fn two_thousand_programs_and_all_that_ever_differed_do_not_differ_in_python() {
    // The message says how to build it.
    PYTHON.runtime();
    nothing_differs("python", "2", &["--python"]);
}
