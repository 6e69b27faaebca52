//! The scripts of examples/python, as a user runs them.

// Signals end the scripts.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use uv_handles_tests::http_server::{server, text};
use uv_handles_tests::line_stats::{self, address};
use uv_handles_tests::os::{connect, reset};
use uv_handles_tests::process::Process;
use uv_handles_tests::script::{Ended, PYTHON};

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

/// A guest of the chat.
struct Guest(BufReader<TcpStream>);

impl Guest {
    fn enter(address: SocketAddr) -> Guest {
        Guest(BufReader::new(connect(address)))
    }

    fn say(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    #[track_caller]
    fn hears(&mut self, expected: &str) {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert_eq!(line, format!("{expected}\n"));
    }
}

#[test]
fn chat() {
    let mut process = start(&["--listen=clients=127.0.0.1:0", "--signal=int,term"], "chat.py");
    let address = address(&mut process);
    let mut one = Guest::enter(address);
    one.hears("you are guest 1, with 0 others");
    let mut two = Guest::enter(address);
    two.hears("you are guest 2, with 1 others");
    one.hears("guest 2 has come");
    let mut three = Guest::enter(address);
    three.hears("you are guest 3, with 2 others");
    one.hears("guest 3 has come");
    two.hears("guest 3 has come");

    one.say("hello");
    one.say(" all\r\nand more\n");
    for guest in [&mut two, &mut three] {
        guest.hears("guest 1: hello all");
        guest.hears("guest 1: and more");
    }
    drop(two);
    one.hears("guest 2 has left");
    three.hears("guest 2 has left");
    three.say(&format!("{}\n", "x".repeat(1_500)));
    one.hears(&format!("guest 3: {}", "x".repeat(1_500)));

    process.kill(libc::SIGTERM);
    one.hears("the server closes");
    assert_eq!(process.exit_code(), 0);
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
        (&urls[2], "the host does not grant it"),
    ] {
        assert!(
            ended.stderr.iter().any(|line| line.starts_with(url.as_str()) && line.ends_with(expected)),
            "{expected}: {ended:?}"
        );
    }
}
