//! The example async-echo, as a user runs it: all clients get back what they send, a silent client
//! is disconnected, and a signal ends the program cleanly.

// Signals end the guest.
#![cfg(unix)]

use std::io::{Read, Write};
use std::net::Shutdown;
use uv_handles_tests::os::connect;
use uv_handles_tests::process::{Process, listens_on, uv_run};

const OPTIONS: [&str; 4] = ["--listen", "clients=127.0.0.1:0", "--signal", "term"];

/// The example with this time limit for silent clients, in milliseconds.
fn start(patience: &str) -> Process {
    let mut command = uv_run(&OPTIONS, "async-echo");
    command.arg(patience);
    Process::spawn(command)
}

#[test]
fn clients_get_back_what_they_send() {
    const BYTES: usize = 1_000_000;
    let mut process = start("60000");
    let address = listens_on(&mut process);
    // A silent client stays connected, and blocks no other.
    let mut silent = connect(address);
    std::thread::scope(|scope| {
        for n in 0..10u8 {
            scope.spawn(move || {
                let mut client = connect(address);
                let mut sends = client.try_clone().unwrap();
                let sent: Vec<u8> = (0..BYTES).map(|i| (i % 251) as u8 ^ n).collect();
                let expected = sent.clone();
                scope.spawn(move || {
                    sends.write_all(&sent).unwrap();
                    sends.shutdown(Shutdown::Write).unwrap();
                });
                let mut received = Vec::new();
                client.read_to_end(&mut received).unwrap();
                assert!(received == expected, "{} bytes came back", received.len());
            });
        }
    });
    for _ in 0..10 {
        let line = process.stdout.next_line().expect("one for each");
        assert!(line.starts_with("127.0.0.1:") && line.ends_with(&format!(": {BYTES} bytes")), "{line}");
    }
    silent.write_all(b"here").unwrap();
    silent.read_exact(&mut [0; 4]).unwrap();
    process.kill(libc::SIGTERM);
    assert_eq!(process.stdout.next_line().as_deref(), Some("ending, 1 open"));
    // It has sent everything, and no callback waits for anything else.
    drop(silent);
    assert!(process.stdout.next_line().expect("its line").ends_with(": 4 bytes"));
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn who_is_silent_for_too_long_is_sent_away() {
    let mut process = start("20");
    let address = listens_on(&mut process);
    let mut client = connect(address);
    // Its side of the connection ends without an answer.
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    let line = process.stdout.next_line().expect("its line");
    assert!(line.starts_with("127.0.0.1:") && line.contains("ETIMEDOUT"), "{line}");
    process.kill(libc::SIGTERM);
    assert_eq!(process.stdout.next_line().as_deref(), Some("ending, 0 open"));
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn without_its_socket_it_says_so() {
    let mut process = Process::spawn(uv_run(&[], "async-echo"));
    assert_eq!(process.exit_code(), 1);
    assert!(process.stderr.all().join("\n").contains("clients"));
}
