//! `uv-run` as a program, with what every system has: timers, sockets, standard input, async handles that
//! signals send, and errors for what a system does not have. The whole-system tests have much more,
//! on Linux.
//!
//! `UV_HANDLES_GUESTS` is the directory of the guests. `UV_HANDLES_RUNNER` is a program that runs `uv-run`, for
//! an emulator that programs of its system cannot start.

#[cfg_attr(windows, allow(dead_code, reason = "only signals need the process's number"))]
mod program;
#[cfg(unix)]
mod signals;

use program::{Program, refused};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

#[test]
fn a_timer_fires() {
    let mut program = Program::start(&[], "first-timer", &[]);
    assert_eq!(program.ends_with(0), ["half a second later"]);
}

#[test]
fn a_day_of_virtual_time_passes_at_once() {
    let mut program = Program::start(&["--virtual-time"], "uv_run", &["time_a_day"]);
    assert!(!program.ends_with(0).is_empty());
}

#[test]
fn clients_of_a_socket_get_back_what_they_send() {
    let mut program = Program::start(&["--listen", "clients=127.0.0.1:0"], "poll_tcp_echo", &[]);
    let address = program.line_with("uv-run: clients listens on ");
    // More than fits into the buffers of both directions, so each side has to wait. Wine takes seconds
    // for the less.
    let sent: Vec<u8> =
        (0..if cfg!(windows) { 300_000u32 } else { 3_000_000 }).map(|i| (i % 251) as u8).collect();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut client = TcpStream::connect(&address).unwrap();
                let mut sends = client.try_clone().unwrap();
                let sent = &sent;
                scope.spawn(move || {
                    sends.write_all(sent).unwrap();
                    sends.shutdown(Shutdown::Write).unwrap();
                });
                let mut received = Vec::new();
                client.read_to_end(&mut received).unwrap();
                assert!(received == *sent, "{} bytes came back", received.len());
            });
        }
    });
    program.ends_with(0);
}

/// The example: lines of standard input and of a client are counted, and a signal ends it.
#[test]
fn standard_input_and_clients_are_counted() {
    let options =
        ["--stdin", "--listen", "clients=127.0.0.1:0", "--signal", "hup,int,term", "--wake", "print"];
    let mut program = Program::start(&options, "line-stats", &[]);
    let address = program.line_with("uv-run: clients listens on ");
    program.stdin().write_all(b"one\ntwo\n").unwrap();
    program.line_with("summary: 2 lines");
    let mut client = TcpStream::connect(&address).unwrap();
    client.write_all(b"three\nfour\nfive\n").unwrap();
    program.line_with("summary: 5 lines");
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.contains('3'), "{answer}");
}

#[test]
fn a_time_limit_ends_a_guest() {
    let mut program = Program::start(&["--timeout", "0.1"], "uv_run", &["time_never_ends", "waits"]);
    program.ends_with(124);
}

#[test]
fn a_grant_that_cannot_be_made_is_refused_by_its_options_name() {
    // A failure to connect is the guest's error, where there is something to connect to.
    let connect = if cfg!(windows) { &["--unix-connect=a=b"][..] } else { &[] };
    for option in ["--unix-listen=a=none/b", "--fifo=a=none", "--control=none/b"].iter().chain(connect) {
        let error = refused(&[option], "first-timer");
        let name = option.split('=').next().unwrap();
        assert!(error.starts_with("uv-run: ") && error.contains(name), "{error}");
        assert_eq!(error.contains("is not available on Windows"), cfg!(windows), "{error}");
    }
}
