//! Guests that allocate up to their limits. The limits answer with error values, and the host's
//! memory and descriptors stay within them. Each guest has a process of its own, whose memory is
//! measured.

// Signals, and the memory that /proc shows.
#![cfg(target_os = "linux")]

use std::net::TcpStream;
use std::process::Command;
use uv_handles_tests::os::connect;
use uv_handles_tests::process::{Process, listens_on, uv_run};
use uv_handles_tests::*;

foreach_limits!(assert_test_exists);

/// The guest reaches its limit, and each refusal is this error. Neither refusals nor repeated
/// allocation costs the host anything that lasts. The clients wait to be accepted.
fn exhausts(what: &str, options: &[&str], expected: &str, clients: usize) {
    let always = ["--listen", "clients=127.0.0.1:0", "--udp", "other=127.0.0.1:0", "--wake", "go=usr1"];
    // The cache's own thread opens files at any time.
    let always = [&always[..], &["--no-cache"]].concat();
    let mut command = uv_run(&[&always, options].concat(), LIMITS_FULL);
    command.arg(what);
    let mut process = Process::spawn(command);
    let address = listens_on(&mut process);
    let _clients: Vec<_> = (0..clients).map(|_| connect(address)).collect();
    assert_eq!(process.stdout.next_line().as_deref(), Some("begins"));
    process.kill(libc::SIGUSR1);
    let mut memory = Vec::new();
    let mut descriptors = Vec::new();
    for line in [expected, "refused", "again"] {
        assert_eq!(process.stdout.next_line().as_deref(), Some(line));
        memory.push(process.memory());
        descriptors.push(process.descriptors());
        process.kill(libc::SIGUSR1);
    }
    assert_eq!(process.exit_code(), 0);
    let (full, most) = (memory[0], memory.iter().max().unwrap());
    assert!(*most < full + full / 4, "{what}: {memory:?} bytes");
    assert!(descriptors.iter().all(|count| *count == descriptors[0]), "{what}: {descriptors:?}");
}

#[test]
fn limits_full() {
    // One of them is the guest's own.
    exhausts("handles", &[], "65535 ENOMEM", 0);
}

#[test]
fn loops_without_end_are_emfile_at_the_limit() {
    exhausts("loops", &[], "63 EMFILE", 0);
}

#[test]
fn descriptors_without_end_are_emfile_at_the_limit() {
    // One of them is the listening socket.
    exhausts("descriptors", &["--max-descriptors", "50"], "49 EMFILE", 60);
}

#[test]
fn limits_of_the_os() {
    let options =
        ["--listen", "clients=127.0.0.1:0", "--udp", "other=127.0.0.1:0", "--signal", "usr1", "--no-cache"];
    let program = uv_run(&options, LIMITS_OF_THE_OS);
    // The shell sets the limit and becomes uv-run.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\""]).arg(program.get_program());
    command.args(program.get_args()).env_remove("RUST_LOG");
    command.stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut process = Process::spawn(command);
    let address = listens_on(&mut process);
    assert_eq!(process.stdout.next_line().as_deref(), Some("accepts"));
    // More than the limit; it may have ended before the last of them connect.
    let clients: Vec<_> = (0..80).map_while(|_| TcpStream::connect(address).ok()).collect();
    let code = process.exit_code();
    assert_eq!(code, 0, "{:#?}", process.stderr.all());
    assert_eq!(process.stdout.all(), ["accepts", "end"]);
    drop(clients);
}
