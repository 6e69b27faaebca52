//! A short run of the soak test's program. It tests that the program works; the soak itself takes
//! minutes (`cargo xtask soak`).

// The program reads /proc.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use uv_handles_tests::os::listener;
use uv_handles_tests::*;

foreach_soak!(assert_test_exists);

/// The neighbor is called, and ends on request.
#[test]
fn soak_timer() {
    let (mut reports, writer) = std::io::pipe().unwrap();
    let mut end = None;
    let mut guest = spawn(SOAK_TIMER, |uv| {
        uv.descriptor("lateness", writer).unwrap();
        end = Some(uv.async_sender("end"));
    });
    guest.expect("ready");
    assert_eq!(os::read_exactly(&mut reports, 16).len(), 16, "it reports twice");
    end.unwrap().send().unwrap();
    guest.wait().succeeded();
}

/// A guest without its granted async handle reports that instead of continuing.
#[test]
fn soak_life() {
    let (clients, _) = listener();
    let output = Guest::new(SOAK_LIFE).arg("return").run(|uv| {
        uv.descriptor("clients", clients).unwrap();
        uv.signal(40);
    });
    assert!(matches!(output.end, End::Exit(1)), "{output:?}");
}

/// Guests live and end in every way, and every sample has all fields.
#[test]
fn a_short_soak_ends_well_and_reports() {
    let lines =
        soak(&["3", "250"], &["seconds", "memory_kib", "descriptors", "threads", "lateness_ms", "lives"]);
    assert!(!lines.trim_end().ends_with("\"lives\":0}"), "no guest has lived to its end: {lines}");
}

/// The program asserts by itself that nothing is lost.
#[test]
fn a_short_soak_of_plugins_loses_nothing_and_reports() {
    const FIELDS: [&str; 8] = [
        "seconds",
        "ticks",
        "median_lateness_ms",
        "p99_lateness_ms",
        "cpu_percent",
        "kib_per_plugin",
        "descriptors",
        "threads",
    ];
    soak(&["plugins", "50", "2", "250"], &FIELDS);
}

/// The report of the program: lines with these fields.
fn soak(args: &[&str], fields: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_soak"))
        .args(args)
        .stderr(Stdio::inherit())
        .output()
        .expect("the program was built");
    assert!(output.status.success(), "{}", output.status);
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(lines.lines().count() >= 2);
    for line in lines.lines() {
        for name in fields {
            assert!(line.contains(&format!("\"{name}\":")), "{line}");
        }
    }
    lines
}
