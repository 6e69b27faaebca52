//! The soak test's program, for a moment: that it works is tested here, what it is for needs minutes
//! (`cargo xtask soak`).

use std::process::{Command, Stdio};
use uv_handles_tests::os::listener;
use uv_handles_tests::*;

foreach_soak!(assert_test_exists);

/// The neighbour is called, and ends when it is told.
#[test]
fn soak_timer() {
    let (mut reports, writer) = std::io::pipe().unwrap();
    let mut end = None;
    let mut guest = spawn(SOAK_TIMER, |uv| {
        uv.descriptor("lateness", writer).unwrap();
        end = Some(uv.wake_up("end"));
    });
    guest.expect("ready");
    assert_eq!(os::read_exactly(&mut reports, 16).len(), 16, "it reports twice");
    end.unwrap().send().unwrap();
    guest.wait().succeeded();
}

/// A guest without the wake-up that it was promised says so instead of going on.
#[test]
fn soak_life() {
    let (clients, _) = listener();
    let output = Guest::new(SOAK_LIFE).arg("return").run(|uv| {
        uv.descriptor("clients", clients).unwrap();
        uv.signal(40);
    });
    assert!(matches!(output.end, End::Exit(1)), "{output:?}");
}

/// Guests live and end in every way, and every sample has all that is asked for.
#[test]
fn a_short_soak_ends_well_and_reports() {
    let output = Command::new(env!("CARGO_BIN_EXE_soak"))
        .args(["3", "250"])
        .stderr(Stdio::inherit())
        .output()
        .expect("the program was built");
    assert!(output.status.success(), "{}", output.status);
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(lines.lines().count() >= 2);
    for line in lines.lines() {
        for name in ["seconds", "memory_kib", "descriptors", "threads", "lateness_ms", "lives"] {
            assert!(line.contains(&format!("\"{name}\":")), "{line}");
        }
    }
    assert!(!lines.trim_end().ends_with("\"lives\":0}"), "no guest has lived to its end: {lines}");
}
