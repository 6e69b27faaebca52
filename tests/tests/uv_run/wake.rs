//! `--wake` and `--control`: triggering async handles from outside.

// Signals and the control socket.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use uv_handles_tests::os::{patient, place};
use uv_handles_tests::process::{Process, start, uv_run};
use uv_handles_tests::*;

foreach_uv_run_wake!(assert_test_exists);

#[test]
fn uv_run_wake_ups() {
    let options = ["--wake", "print=usr1", "--wake", "end=SIGUSR2"];
    let mut process = start(&options, UV_RUN_WAKE_UPS, &[]);
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    for _ in 0..3 {
        process.kill(libc::SIGUSR1);
        assert_eq!(process.stdout.next_line().as_deref(), Some("print"));
    }
    process.kill(libc::SIGUSR2);
    assert_eq!(process.exit_code(), 0);
    assert_eq!(process.stdout.all(), ["ready", "print", "print", "print", "end"]);
    assert!(process.stderr.all().is_empty());
}

/// Sends lines, and reads the answer to each.
struct Control(BufReader<UnixStream>);

impl Control {
    fn connect(path: &str) -> Control {
        Control(BufReader::new(patient(UnixStream::connect(path).expect("uv-run listens"))))
    }

    fn ask(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        self.0.read_line(&mut answer).expect("every line is answered");
        answer
    }
}

#[test]
fn a_line_on_the_control_socket_sends_an_async_handle() {
    let (_dir, path) = place();
    let options = ["--wake", "print", "--wake", "end=usr2", "--control", &path];
    let mut process = start(&options, UV_RUN_WAKE_UPS, &[]);
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    let mut control = Control::connect(&path);
    for _ in 0..3 {
        assert_eq!(control.ask("print"), "ok\n");
        assert_eq!(process.stdout.next_line().as_deref(), Some("print"));
    }
    assert_eq!(control.ask("launch"), "no async handle has the name \"launch\"; there are: print, end\n");
    assert_eq!(Control::connect(&path).ask("print"), "ok\n", "several clients are served");
    assert_eq!(process.stdout.next_line().as_deref(), Some("print"));
    process.kill(libc::SIGUSR2);
    assert_eq!(process.exit_code(), 0);
    assert!(!Path::new(&path).exists(), "the file is removed at the end");
}

/// Whatever the umask is.
#[test]
fn only_processes_of_the_same_user_can_use_the_control_socket() {
    let (_dir, path) = place();
    let command = uv_run(&["--wake", "print", "--wake", "end=usr2", "--control", &path], UV_RUN_WAKE_UPS);
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::spawn(shell);
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600, "{mode:o}");
    assert_eq!(Control::connect(&path).ask("print"), "ok\n");
    process.kill(libc::SIGUSR2);
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn an_async_handle_that_the_guest_has_not_made_is_reported() {
    let (_dir, path) = place();
    let options = ["--wake", "print=usr1", "--control", &path];
    let mut process = start(&options, UV_RUN_TIME_NEVER_ENDS, &["waits"]);
    assert_eq!(process.stdout.next_line().as_deref(), Some("begins"));
    let why = "the guest has not made the async handle yet";
    assert_eq!(Control::connect(&path).ask("print"), format!("{why}\n"));
    process.kill(libc::SIGUSR1);
    let told = format!("uv-run: the signal usr1 did not send \"print\": {why}");
    assert_eq!(process.stderr.next_line(), Some(told));
}
