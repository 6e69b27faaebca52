//! The command `uv-run`: exit codes, and each of the grants that its options make.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use uv_handles_tests::os::{connect, flags, terminal};
use uv_handles_tests::process::{Process, uv_run};
use uv_handles_tests::*;

foreach_uv_run!(assert_test_exists);

#[test]
fn uv_run_exit() {
    // WASI 0.2 knows success and failure only: a program's own codes arrive as 1.
    for (arg, code) in [("0", 0), ("1", 1), ("7", 1), ("error", 1), ("trap", 1)] {
        let mut command = uv_run(&[], UV_RUN_EXIT);
        command.args([arg, "--stdin", "-x"]);
        let mut process = Process::spawn(command);
        assert_eq!(process.exit_code(), code, "{arg}");
        assert_eq!(
            process.stdout.all(),
            [format!("{arg} --stdin -x")],
            "what follows the guest is the guest's"
        );
        let stderr = process.stderr.all().join("\n");
        assert_eq!(stderr.contains("the guest trapped"), arg == "trap", "{stderr}");
    }
}

/// It says what is wrong, on one line, and ends with 2.
fn refused(options: &[&str], guest: &str) {
    let mut command = uv_run(options, UV_RUN_EXIT);
    if !guest.is_empty() {
        // A program and its options again, with another guest.
        let mut other = std::process::Command::new(command.get_program());
        other.args(options).arg(guest);
        other.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command = other;
    }
    let mut process = Process::spawn(command);
    assert_eq!(process.exit_code(), 2, "{options:?} {guest}");
    assert!(process.stdout.all().is_empty(), "no guest has run");
    let stderr = process.stderr.all().join("\n");
    assert!(!stderr.is_empty() && !stderr.contains("panicked"), "{stderr}");
}

#[test]
fn a_guest_that_can_not_be_used_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    refused(&[], &path("missing.wasm"));
    refused(&[], dir.path().to_str().unwrap());
    for (name, content) in [
        ("empty.wasm", &b""[..]),
        ("text.wasm", b"no WebAssembly at all"),
        ("module.wasm", b"\0asm\x01\0\0\0"),
        ("cut.wasm", b"\0asm\x0d\0\x01\0\x07"),
        ("library.wasm", b"\0asm\x0d\0\x01\0"),
    ] {
        std::fs::write(path(name), content).unwrap();
        refused(&[], &path(name));
    }
}

#[test]
fn a_wrong_command_line_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("clients={}", taken.local_addr().unwrap());
    for options in [
        &["--no-such-option"][..],
        &["--signal", "kill"],
        &["--signal", "no-such-signal"],
        &["--listen", "clients"],
        &["--listen", "clients=nowhere"],
        &["--listen", &taken],
    ] {
        refused(options, "");
    }
}

#[test]
fn uv_run_listen() {
    let options = ["--listen", "one=127.0.0.1:0", "--listen", "two=127.0.0.1:0"];
    let mut process = Process::spawn(uv_run(&options, UV_RUN_LISTEN));
    for name in ["one", "two"] {
        let prefix = format!("uv-run: {name} listens on ");
        let address: SocketAddr =
            process.stderr.find(|line| Some(line.strip_prefix(&prefix)?.parse().expect("an address")));
        let mut answer = String::new();
        connect(address).read_to_string(&mut answer).unwrap();
        assert_eq!(answer, format!("{name} {address}"));
    }
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn uv_run_signal() {
    let mut process = Process::spawn(uv_run(&["--signal", "hup,term"], UV_RUN_SIGNAL));
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    for _ in 0..2 {
        process.kill(libc::SIGHUP);
        assert_eq!(process.stdout.next_line().as_deref(), Some("SIGHUP"));
    }
    process.kill(libc::SIGTERM);
    assert_eq!(process.stdout.next_line().as_deref(), Some("SIGTERM"));
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_signal_that_was_not_granted_ends_the_process() {
    use std::os::unix::process::ExitStatusExt;
    let mut process = Process::spawn(uv_run(&["--signal", "hup,term"], UV_RUN_SIGNAL));
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    // Not SIGINT, which a shell lets its background jobs ignore, and so everything that they start.
    process.kill(libc::SIGUSR1);
    assert_eq!(process.wait().signal(), Some(libc::SIGUSR1));
}

/// Runs the guest with this standard input. `feed` is called when the guest reads, and brings what
/// is to be read. The mode of the input never changes, whoever else has it open.
fn reads_stdin(input: impl Into<OwnedFd>, feed: impl FnOnce(), expected: &[u8]) {
    let input = input.into();
    let kept = input.try_clone().unwrap();
    let before = flags(kept.as_fd());
    let mut command = uv_run(&["--stdin"], UV_RUN_STDIN);
    command.stdin(input);
    let mut process = Process::spawn(command);
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    assert_eq!(flags(kept.as_fd()), before, "while the guest runs");
    feed();
    let sum: u64 = expected.iter().copied().map(u64::from).sum();
    let line = process.stdout.next_line();
    assert_eq!(line, Some(format!("{} bytes, sum {sum}", expected.len())));
    assert_eq!(process.exit_code(), 0);
    assert_eq!(flags(kept.as_fd()), before, "afterwards");
}

/// More than fits into a pipe.
fn content() -> Vec<u8> {
    (0..300_000u32).map(|n| (n % 253) as u8).collect()
}

#[test]
fn uv_run_stdin() {
    let (read, mut write) = std::io::pipe().unwrap();
    let feed = move || write.write_all(&content()).unwrap();
    reads_stdin(read, feed, &content());
}

#[test]
fn stdin_may_be_a_file() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&content()).unwrap();
    file.rewind().unwrap();
    reads_stdin(file, || {}, &content());
}

#[test]
fn stdin_may_be_dev_null() {
    reads_stdin(File::open("/dev/null").unwrap(), || {}, b"");
}

#[test]
fn stdin_may_be_a_terminal() {
    let (ours, theirs) = terminal();
    // What is typed: a line, and Ctrl+D, which is the end of the input.
    let feed = || File::from(ours.try_clone().unwrap()).write_all(b"typed\n\x04").unwrap();
    reads_stdin(theirs, feed, b"typed\n");
}

#[test]
fn stdin_may_be_a_socket() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    reads_stdin(theirs, move || ours.write_all(&content()).unwrap(), &content());
}

#[test]
fn stdin_may_be_in_non_blocking_mode_already() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    reads_stdin(theirs, move || ours.write_all(&content()).unwrap(), &content());
}

#[test]
fn it_ends_although_its_stdin_is_silent() {
    let (_writes, pipe) = {
        let (read, write) = std::io::pipe().unwrap();
        (write, OwnedFd::from(read))
    };
    let (_types, terminal) = terminal();
    let (_sends, socket) = UnixStream::pair().unwrap();
    for input in [pipe, terminal, socket.into()] {
        let mut command = uv_run(&["--stdin"], UV_RUN_EXIT);
        command.stdin(input).arg("0");
        assert_eq!(Process::spawn(command).exit_code(), 0);
    }
}
