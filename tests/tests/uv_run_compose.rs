//! `uv-run --compose`: what it makes, what it warns of, and what it refuses.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use uv_handles_tests::plain::{Plain, Time};
use uv_handles_tests::process::{Process, uv_run};
use uv_handles_tests::*;

/// How `uv-run` with these arguments ends, and what it says.
fn uv_run_with(args: &[&str]) -> (i32, Vec<String>) {
    let mut command = Command::new(uv_run(&[], "first-timer").get_program());
    command.args(args).env_remove("RUST_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::spawn(command);
    let code = process.exit_code();
    assert!(process.stdout.all().is_empty());
    (code, process.stderr.all())
}

/// As [`uv_run_with`], with the adapter that belongs to the guests.
fn compose(guest: &Path, output: &Path) -> (i32, Vec<String>) {
    let adapter = component("uv-handles-adapter");
    let [guest, output, adapter] = [guest, output, &adapter].map(|path| path.to_str().expect("a plain path"));
    uv_run_with(&["--compose", guest, "-o", output, "--adapter", adapter])
}

fn output() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("composed.wasm");
    (dir, file)
}

#[track_caller]
fn refused_in_one_sentence(guest: &Path, expected: &str) {
    let (_dir, output) = output();
    let (code, stderr) = compose(guest, &output);
    assert_eq!(code, 2, "{stderr:?}");
    assert_eq!(stderr.len(), 1, "{stderr:?}");
    assert!(stderr[0].contains(expected), "{expected}: {stderr:?}");
    assert!(!output.exists());
}

#[test]
fn a_composed_guest_runs_where_uv_handles_is_unknown() {
    let (_dir, output) = output();
    assert_eq!(compose(&component("first-timer"), &output), (0, Vec::new()));
    assert_eq!(Plain::new(&output).time(Time::Virtual).run(), ["half a second later"]);

    let mut command = Command::new(uv_run(&[], "first-timer").get_program());
    command.arg("--list-imports").arg(&output).stdout(Stdio::piped());
    let imports = Process::spawn(command).stdout.all();
    assert!(!imports.is_empty() && imports.iter().all(|line| line.starts_with("wasi:")), "{imports:#?}");
}

#[test]
fn it_warns_by_name_of_what_will_not_work() {
    let (_dir, output) = output();
    let (code, stderr) = compose(&component("line-stats"), &output);
    assert_eq!(code, 0);
    assert_eq!(stderr.len(), 3, "{stderr:?}");
    for (line, name) in stderr.iter().zip(["uv:handles/signal", "uv:handles/descriptors", "create-named"]) {
        assert!(line.contains("warning: ") && line.contains(name), "{line}");
    }
}

#[test]
fn what_can_not_be_composed_is_refused_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let file = dir.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        file
    };
    // Type section: one instance type without declarations. Import section: it, by name.
    let importing = |name: &str| {
        let import = [&[1, 0, name.len() as u8], name.as_bytes(), &[5, 0]].concat();
        [b"\0asm\x0d\0\x01\0", &[7, 3, 1, 0x42, 0, 10, import.len() as u8][..], &import[..]].concat()
    };
    refused_in_one_sentence(&component("uv-handles-adapter"), "it does not import uv:handles");
    refused_in_one_sentence(
        &file("version.wasm", &importing("uv:handles/timer@0.9.0")),
        "it imports uv:handles/timer@0.9.0, and the adapter has uv:handles@0.1.0",
    );
    refused_in_one_sentence(
        &file("unknown.wasm", &importing("uv:handles/rockets@0.1.0")),
        "it imports uv:handles/rockets@0.1.0, which the adapter does not have",
    );
    refused_in_one_sentence(&file("module.wasm", b"\0asm\x01\0\0\0"), "it is a core module");
    refused_in_one_sentence(&file("text.wasm", b"(component)"), "text format");
    refused_in_one_sentence(&file("script.wasm", b"#!/bin/sh\n"), "it is not WebAssembly");
    refused_in_one_sentence(&file("cut.wasm", b"\0asm\x0d\0\x01\0\xff\xff"), "not a valid component");
    refused_in_one_sentence(&dir.path().join("none.wasm"), "can not be read");
}

#[test]
fn options_for_running_are_refused() {
    let guest = component("first-timer");
    let guest = guest.to_str().unwrap();
    let (code, stderr) = uv_run_with(&["--compose", guest, "-o", "/nonexistent/out.wasm", "--stdin"]);
    assert_eq!((code, stderr.len()), (2, 1), "{stderr:?}");
    assert!(stderr[0].contains("--stdin means nothing to --compose"), "{stderr:?}");
    let (code, _) = uv_run_with(&["--compose", guest]);
    assert_eq!(code, 2, "the output is missing");
}
