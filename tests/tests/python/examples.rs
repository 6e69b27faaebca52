//! The scripts of examples/python, as a user runs them.

// Signals end the scripts.
#![cfg(unix)]

use std::fs;
use uv_handles_tests::http_server::{server, text};
use uv_handles_tests::os::reset;
use uv_handles_tests::process::Process;
use uv_handles_tests::script::{Ended, PYTHON};
use uv_handles_tests::{chat, line_stats};

fn start(options: &[&str], name: &str) -> Process {
    Process::spawn(PYTHON.example(options, name))
}

#[test]
fn first_timer() {
    Ended::of(PYTHON.example(&["--virtual-time"], "first_timer")).printed(&["half a second later"]);
}

#[test]
fn line_stats_prints_what_the_guest_in_rust_prints() {
    line_stats::prints_what_the_guest_in_rust_prints(&PYTHON, 200_000);
}

#[test]
fn line_stats_serves_clients_and_answers_to_signals() {
    line_stats::serves_clients_and_answers_to_signals(&PYTHON);
}

#[test]
fn line_stats_without_anything_to_read_says_so() {
    line_stats::without_anything_to_read_says_so(&PYTHON);
}

#[test]
fn chat() {
    chat::guests_talk(&PYTHON);
}

#[test]
fn graceful_reload() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.json");
    let write = |text: &str| {
        fs::write(file.with_extension("new"), text).unwrap();
        fs::rename(file.with_extension("new"), &file).unwrap();
    };
    write(r#"{"greeting": "hello", "every": 1}"#);
    let granted = format!("--dir-ro={}::/config", dir.path().display());
    let mut process = start(&[&granted, "--signal=hup,int,term"], "graceful_reload.py");
    let greeted = |process: &mut Process, greeting: &str| {
        process.stdout.find(|line| line.strip_prefix(greeting)?.trim().parse::<u64>().ok())
    };
    let first = greeted(&mut process, "hello");
    assert_eq!(first, 1);

    write(r#"{"greeting": "bonjour", "every": 2}"#);
    process.kill(libc::SIGHUP);
    process.stdout.find(|line| (line == "reloaded").then_some(()));
    let second = greeted(&mut process, "bonjour");
    assert!(second > first);

    for (broken, expected) in [
        ("{", "Expecting"),
        (r#"{"greeting": "x"}"#, "every"),
        (r#"{"greeting": "x", "every": 0}"#, "at least 1"),
    ] {
        write(broken);
        process.kill(libc::SIGHUP);
        process.stderr.find(|line| {
            (line.starts_with("the configuration stays") && line.contains(expected)).then_some(())
        });
    }
    assert!(greeted(&mut process, "bonjour") > second, "it goes on as before");
    process.kill(libc::SIGTERM);
    process.stdout.find(|line| line.ends_with(" times").then_some(()));
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn fetch_all() {
    let flaky = server(vec![
        text("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"),
        Box::new(|client, _| {
            reset(client);
            None
        }),
        text("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"),
    ]);
    let absent = server(vec![text("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")]);
    let options = [flaky, absent].map(|address| format!("--http={address}"));
    let mut command = PYTHON.example(&[&options[0], &options[1]], "fetch_all");
    let urls = [format!("http://{flaky}/"), format!("http://{absent}/"), "http://denied.invalid/".into()];
    let ended = Ended::of({
        command.args(&urls);
        command
    });
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(ended.stdout, [format!("{}: 5 bytes, attempt 3", urls[0])]);
    for (url, expected) in [
        (&urls[0], "503 Service Unavailable, attempt 1"),
        (&urls[0], "the connection was terminated, attempt 2"),
        (&urls[1], "404 Not Found"),
        (&urls[2], "the host does not grant it (uv-run --http denied.invalid)"),
    ] {
        assert!(
            ended.stderr.iter().any(|line| line.starts_with(url.as_str()) && line.ends_with(expected)),
            "{expected}: {ended:?}"
        );
    }
}
