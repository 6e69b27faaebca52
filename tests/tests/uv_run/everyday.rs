//! The command `uv-run`: exit codes, the grants of everyday use, and its messages about a guest.
//! The other options are tested in the files beside this one.

// Signals, terminals and modes of descriptors.
#![cfg(unix)]

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use uv_handles_tests::os::{block, connect, flags, terminal};
use uv_handles_tests::process::{Process, ended, uv_run};
use uv_handles_tests::*;

foreach_uv_run!(assert_test_exists);

const LINE_STATS: &str = "line-stats";

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

/// An address to listen on may be a name.
#[test]
fn names_are_listened_on() {
    let options = ["--listen", "one=localhost:0", "--listen", "two=127.0.0.1:0"];
    let mut process = Process::spawn(uv_run(&options, UV_RUN_LISTEN));
    let address: SocketAddr = process
        .stderr
        .find(|line| Some(line.strip_prefix("uv-run: one listens on ")?.parse().expect("an address")));
    assert!(address.ip().is_loopback());
    let mut answer = String::new();
    connect(address).read_to_string(&mut answer).unwrap();
    assert_eq!(answer, format!("one {address}"));
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

/// Supervisors block signals, and their children inherit that.
#[test]
fn a_signal_that_the_parent_blocks_is_delivered() {
    use std::os::unix::process::CommandExt;
    let mut command = uv_run(&["--signal", "hup,term"], UV_RUN_SIGNAL);
    // SAFETY: it makes system calls only.
    unsafe { command.pre_exec(|| [libc::SIGHUP, libc::SIGTERM].into_iter().try_for_each(block)) };
    let mut process = Process::spawn(command);
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    for (signum, name) in [(libc::SIGHUP, "SIGHUP"), (libc::SIGTERM, "SIGTERM")] {
        process.kill(signum);
        assert_eq!(process.stdout.next_line().as_deref(), Some(name));
    }
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

/// Runs the guest with this standard input. `feed` is called when the guest reads, and writes the
/// input. The mode of the input never changes, because other processes may have it open.
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
    // The typed input: a line, and Ctrl+D, which is the end of the input.
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

#[test]
fn the_imports_are_listed_with_what_grants_them_and_nothing_runs() {
    let ended = ended(&["--list-imports"], LINE_STATS, &[]);
    assert_eq!((ended.code, &ended.stderr[..]), (0, &[][..]), "{ended:?}");
    for (interface, granted_by) in [
        ("uv:handles/event-loop@", "always"),
        ("uv:handles/timer@", "always"),
        ("uv:handles/descriptors@", "--unix-connect"),
        ("uv:handles/signal@", "--signal"),
        ("uv:handles/async-handle@", "--wake"),
        ("wasi:cli/environment@", "--env"),
        ("wasi:cli/stdout@", "always"),
    ] {
        let line = ended.stdout.iter().find(|line| line.starts_with(interface));
        assert!(line.is_some_and(|line| line.contains(granted_by)), "{interface}: {ended:?}");
    }
    for line in &ended.stdout {
        let (name, _) = line.split_once("  ").expect("a name and what grants it");
        assert!(name.contains(":") && name.contains("/") && name.contains("@"), "{line}");
    }
}

#[test]
fn uv_run_denied() {
    let ended = ended(&[], UV_RUN_DENIED, &[]);
    assert_eq!((ended.code, &ended.stdout[..]), (0, &["went on".to_owned()][..]), "{ended:?}");
    let expected = [
        ("the descriptor \"clients\"", "--listen clients=ADDRESS:PORT would grant it"),
        ("the descriptor \"stdin\"", "--stdin would grant"),
        ("the descriptor \"stdout\"", "--stdout-as stdout would grant"),
        ("the signal hup", "--signal hup would grant it"),
        ("the async handle \"print\"", "--wake print would grant it"),
    ];
    let sender = "uv-run: the guest asked for the async sender \"jobs\", which uv-run never grants";
    let (senders, told): (Vec<_>, Vec<_>) = ended.stderr.iter().partition(|line| line.starts_with(sender));
    assert_eq!(senders.len(), 1, "{ended:?}");
    assert_eq!(told.len(), expected.len(), "each is told once: {ended:?}");
    for (line, (what, option)) in told.into_iter().zip(expected) {
        assert!(line.starts_with(&format!("uv-run: the guest asked for {what}, which was not granted; ")));
        assert!(line.contains(option), "{line}");
    }
}

/// Also in the log that RUST_LOG asks for.
#[test]
fn what_a_guest_asks_for_is_cut_where_it_is_shown() {
    for filter in ["error", "debug"] {
        let mut command = uv_run(&[], UV_RUN_DENIED);
        command.arg("long").env("RUST_LOG", format!("uv_handles_host={filter}"));
        let mut process = Process::spawn(command);
        assert_eq!(process.exit_code(), 0);
        assert_eq!(process.stdout.all(), ["went on"]);
        let stderr = process.stderr.all();
        let longest = stderr.iter().map(String::len).max();
        assert!(longest.is_some_and(|longest| (100..1_000).contains(&longest)), "{longest:?}");
        for what in ["the descriptor", "the async handle", "the async sender"] {
            assert!(
                stderr.iter().any(|line| line.contains(&format!("asked for {what} \"\\u{{1}}"))),
                "{what}"
            );
        }
    }
}

#[test]
fn completions_know_the_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = ended(&["--completions", shell], LINE_STATS, &[]);
        assert_eq!((ended.code, &ended.stderr[..]), (0, &[][..]), "{shell}");
        let script = ended.stdout.join("\n");
        assert!(script.contains("uv-run") && script.contains("max-descriptors"), "{shell}: {script}");
    }
}
