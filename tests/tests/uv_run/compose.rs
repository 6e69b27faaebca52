//! `uv-run --compose`: its output, its warnings and its refusals.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use uv_handles_tests::plain::{Plain, Time};
use uv_handles_tests::process::{Process, uv_run};
use uv_handles_tests::*;

/// The exit code and the messages of `uv-run` with these arguments.
fn uv_run_with(args: &[&str]) -> (i32, Vec<String>) {
    let mut command = Command::new(uv_run(&[], "first-timer").get_program());
    command.args(args).env_remove("RUST_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::spawn(command);
    let code = process.exit_code();
    assert!(process.stdout.all().is_empty());
    (code, process.stderr.all())
}

/// As [`uv_run_with`], with the smaller adapter that belongs to the guests.
fn compose(guest: &Path, output: &Path) -> (i32, Vec<String>) {
    compose_with("uv-handles-adapter", guest, output)
}

fn compose_with(adapter: &'static str, guest: &Path, output: &Path) -> (i32, Vec<String>) {
    let adapter = component(adapter);
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

#[track_caller]
fn warned_of(adapter: &'static str, guest: impl Into<Case>, names: &[&str]) {
    let (_dir, output) = output();
    let (code, stderr) = compose_with(adapter, &component(guest), &output);
    assert_eq!((code, stderr.len()), (0, names.len()), "{stderr:?}");
    for (line, name) in stderr.iter().zip(names) {
        assert!(line.contains("warning: ") && line.contains(name), "{line}");
    }
}

#[test]
fn it_warns_by_name_of_what_will_not_work() {
    let (small, large) = ("uv-handles-adapter", "uv-handles-adapter-descriptors");
    warned_of(small, "line-stats", &["uv:handles/signal", "uv:handles/descriptors", "create-named"]);
    warned_of(large, "line-stats", &["uv:handles/signal", "create-named"]);
    warned_of(small, DESCRIPTORS_DATAGRAMS, &["uv:handles/descriptors"]);
    warned_of(large, DESCRIPTORS_DATAGRAMS, &["uv:handles/descriptors.recv-from and send-to"]);
    warned_of(large, POLL_TCP_ECHO, &[]);
}

#[test]
fn it_takes_the_adapter_that_the_guest_needs() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("uv-compose");
    std::fs::copy(build_dir().join("uv-compose"), &program).unwrap();
    let output = dir.path().join("out.wasm");
    let run = |guest: Case| {
        let mut command = Command::new(&program);
        command.arg(component(guest)).arg("-o").arg(&output);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Process::spawn(command);
        (process.exit_code(), process.stderr.all())
    };
    let first_timer = Case::program("first-timer");
    for (guest, adapter) in
        [(first_timer, "uv-handles-adapter"), (POLL_TCP_ECHO, "uv-handles-adapter-descriptors")]
    {
        let (code, stderr) = run(guest);
        assert_eq!((code, stderr.len()), (2, 1), "{stderr:?}");
        assert!(stderr[0].contains(&format!("there is no {adapter}.wasm")), "{stderr:?}");
        std::fs::copy(component(adapter), dir.path().join(format!("{adapter}.wasm"))).unwrap();
    }
    for (guest, has_sockets) in [(first_timer, false), (POLL_TCP_ECHO, true)] {
        assert_eq!(run(guest), (0, Vec::new()));
        let mut command = Command::new(uv_run(&[], guest).get_program());
        command.arg("--list-imports").arg(&output).stdout(Stdio::piped());
        let imports = Process::spawn(command).stdout.all();
        assert!(!imports.is_empty());
        assert_eq!(imports.iter().any(|line| line.starts_with("wasi:sockets/")), has_sockets, "{imports:#?}");
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
        "it imports uv:handles/timer@0.9.0, and the adapter has uv:handles@0.2.0",
    );
    refused_in_one_sentence(
        &file("unknown.wasm", &importing("uv:handles/rockets@0.2.0")),
        "it imports uv:handles/rockets@0.2.0, which the adapter does not have",
    );
    refused_in_one_sentence(&file("module.wasm", b"\0asm\x01\0\0\0"), "it is a core module");
    refused_in_one_sentence(&file("text.wasm", b"(component)"), "text format");
    refused_in_one_sentence(&file("script.wasm", b"#!/bin/sh\n"), "it is not WebAssembly");
    refused_in_one_sentence(&file("cut.wasm", b"\0asm\x0d\0\x01\0\xff\xff"), "not a valid component");
    refused_in_one_sentence(&dir.path().join("none.wasm"), "cannot be read");
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
