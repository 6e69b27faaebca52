//! Tasks: async and await on the loop. Those without a peer run in virtual time.

// Signals, and threads by number.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use uv_handles_host::SendError;
use uv_handles_tests::os::{
    connect, installed, kill_self, listener, read_exactly, reset, stream_pair, tcp_pair,
};
use uv_handles_tests::process::{Process, uv_run};
use uv_handles_tests::*;

foreach_task!(assert_test_exists);

generate_tests! { check:
    task_phases,
    task_order,
    task_sleep,
    task_ten_thousand,
    task_timeout,
    task_interval,
    task_join,
    task_keeps_alive,
    task_wakers,
    task_loops,
    task_mixed,
}

#[test]
fn task_panic() {
    let output = run(TASK_PANIC, |uv| {
        uv.virtual_time(true);
    });
    output.trapped();
    assert_eq!(output.lines, ["polled"]);
}

#[test]
fn task_nowhere() {
    let output = run(TASK_NOWHERE, |_| {});
    output.trapped();
    assert_eq!(output.lines, ["made"]);
}

#[test]
fn task_limits() {
    let output = run(TASK_LIMITS, |uv| {
        uv.virtual_time(true).limits(|limits| limits.handles = 10);
    });
    output.succeeded();
}

#[test]
fn task_descriptor() {
    let (mut ours, theirs) = stream_pair();
    let guest = spawn(TASK_DESCRIPTOR, |uv| {
        uv.descriptor("socket", theirs).unwrap();
    });
    // Echoes everything, up to the end of the stream.
    let mut sends = ours.try_clone().unwrap();
    std::io::copy(&mut ours, &mut sends).unwrap();
    sends.shutdown(Shutdown::Write).unwrap();
    guest.wait().succeeded();
}

#[test]
fn task_accept() {
    let (listener, address) = listener();
    let guest = spawn(TASK_ACCEPT, |uv| {
        uv.descriptor("clients", listener).unwrap();
    });
    std::thread::scope(|scope| {
        for n in 0..3u8 {
            scope.spawn(move || {
                let mut client = connect(address);
                let mut sends = client.try_clone().unwrap();
                let sent: Vec<u8> = (0..1_000_000u32).map(|i| (i % 251) as u8 ^ n).collect();
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
    guest.wait().succeeded();
}

#[test]
fn task_reset() {
    let ((first, theirs), (second, theirs_too)) = (tcp_pair(), tcp_pair());
    let mut guest = spawn(TASK_RESET, |uv| {
        uv.descriptor("first", theirs).unwrap().descriptor("second", theirs_too).unwrap();
    });
    guest.expect("ready");
    reset(second);
    reset(first);
    guest.wait().succeeded();
}

#[test]
fn task_futures() {
    let (ours, theirs) = stream_pair();
    let mut guest = spawn(TASK_FUTURES, |uv| {
        uv.virtual_time(true).descriptor("socket", theirs).unwrap();
    });
    let mut sends = ours.try_clone().unwrap();
    let mut receives = BufReader::new(ours);
    let mut answer = String::new();
    for n in 0..100 {
        // In pieces.
        for piece in ["li", "ne ", &n.to_string(), "\n"] {
            sends.write_all(piece.as_bytes()).unwrap();
        }
        answer.clear();
        receives.read_line(&mut answer).unwrap();
        assert_eq!(answer, format!("LINE {n}\n"));
    }
    sends.write_all(b"without an end").unwrap();
    sends.shutdown(Shutdown::Write).unwrap();
    answer.clear();
    receives.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "WITHOUT AN END\n");
    guest.expect("101 lines");
    guest.wait().succeeded();
}

/// In a process of its own, in which the signal has its default action while nothing watches it.
#[test]
fn task_signals_in_a_row() {
    let mut process = Process::spawn(uv_run(&["--signal", "usr1"], TASK_SIGNALS_IN_A_ROW));
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    // They come at any moment, also between two waits.
    let mut seen = 0;
    while seen < 100 {
        process.kill(libc::SIGUSR1);
        process.kill(libc::SIGUSR1);
        let line = process.stdout.next_line().expect("the process lives");
        seen = line.parse::<u32>().unwrap();
    }
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn task_signals() {
    let before = installed(36);
    let mut go = None;
    let mut guest = spawn(TASK_SIGNALS, |uv| {
        uv.signal(36);
        go = Some(uv.async_sender("go"));
    });
    let go = go.unwrap();
    guest.expect("ready");
    (0..5).for_each(|_| kill_self(36));
    go.send().unwrap();
    for n in 1..=5 {
        guest.expect(&n.to_string());
    }
    kill_self(36);
    guest.expect("6");
    guest.expect("dropped");
    go.send().unwrap();
    guest.expect("again");
    kill_self(36);
    guest.wait().succeeded();
    assert_eq!(installed(36), before);
}

#[test]
fn task_wake_ups() {
    let (ours, theirs) = stream_pair();
    let mut granted = None;
    let mut guest = spawn(TASK_WAKE_UPS, |uv| {
        uv.descriptor("answers", theirs).unwrap();
        granted = Some((uv.async_sender("ping"), uv.async_sender("end")));
    });
    let (ping, end) = granted.unwrap();
    guest.expect("ready");
    for _ in 0..1_000 {
        ping.send().unwrap();
        assert_eq!(read_exactly(&ours, 1), b"!");
    }
    end.send().unwrap();
    guest.wait().succeeded();
}

#[test]
fn task_messages() {
    let mut granted = None;
    let mut guest = spawn(TASK_MESSAGES, |uv| {
        uv.limits(|limits| limits.mailbox_messages = 16);
        granted = Some(uv.async_sender("jobs"));
    });
    let jobs = granted.unwrap();
    guest.expect("ready");
    let send = |message: String| {
        while let Err(error) = jobs.send_message(message.clone()) {
            assert_eq!(error, SendError::Full);
            std::thread::yield_now();
        }
        // The receiver ignores a send without a message.
        jobs.send().unwrap();
    };
    (0..1_000).for_each(|number| send(number.to_string()));
    while jobs.send_message("end") == Err(SendError::Full) {
        std::thread::yield_now();
    }
    guest.expect("1000 in order");
    guest.wait().succeeded();
    assert_eq!(jobs.send_message("late"), Err(SendError::Closed));
}
