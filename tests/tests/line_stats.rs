//! The example line-stats, as a user runs it: every line from every source is counted, and no
//! source blocks another.

// Signals, and pipes of a chosen size.
#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use uv_handles_tests::os::{connect, reset};
use uv_handles_tests::process::{Process, find, listens_on, uv_run};
use uv_handles_tests::wait_until;

const GUEST: &str = "line-stats";
const LINES: usize = 1_000_000;

/// A million lines, and their beginning in a summary.
fn input() -> (String, String) {
    let mut text = String::new();
    for n in 0..LINES {
        writeln!(text, "{n}").unwrap();
    }
    let counts = format!("{LINES} lines, {} bytes", text.len());
    (text, counts)
}

#[test]
fn a_million_lines_through_a_pipe_are_counted_exactly() {
    let (text, counts) = input();
    let mut command = uv_run(&["--stdin"], GUEST);
    command.stdin(std::process::Stdio::piped());
    let mut process = Process::spawn(command);
    let mut stdin = process.stdin();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    let summary = find(&mut process, "final summary");
    writer.join().unwrap();
    assert!(summary.starts_with(&counts), "{summary}");
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_million_lines_of_a_file_are_counted_exactly() {
    let (text, counts) = input();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    let mut command = uv_run(&["--stdin"], GUEST);
    command.stdin(file);
    let mut process = Process::spawn(command);
    let summary = find(&mut process, "final summary");
    assert!(summary.starts_with(&counts), "{summary}");
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn an_empty_input_has_a_final_summary() {
    let mut command = uv_run(&["--stdin"], GUEST);
    command.stdin(File::open("/dev/null").unwrap());
    let mut process = Process::spawn(command);
    let summary = find(&mut process, "final summary");
    assert!(summary.starts_with("0 lines, 0 bytes"), "{summary}");
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn without_anything_to_read_it_says_so() {
    let mut process = Process::spawn(uv_run(&[], GUEST));
    assert_eq!(process.exit_code(), 1);
    assert!(process.stderr.all().join("\n").contains("--stdin"));
}

/// A filter that listens and watches SIGTERM, and its address.
fn listening() -> (Process, SocketAddr) {
    let mut process = Process::spawn(uv_run(&["--listen", "clients=127.0.0.1:0", "--signal", "term"], GUEST));
    let address = listens_on(&mut process);
    (process, address)
}

/// A client that sends all of this, shuts down its writing side, and reads the answer.
fn counted_client(address: SocketAddr, text: &str) {
    let mut client = connect(address);
    client.write_all(text.as_bytes()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, format!("you sent {} lines, {} bytes\n", text.lines().count(), text.len()));
}

/// Waits for a summary that begins with this text.
fn counted(process: &mut Process, begin: &str) {
    while !find(process, "summary").starts_with(begin) {}
}

/// Clients that send half a line, or nothing, and go or stay; and such that reset the connection,
/// at once, in the middle of a line, or instead of reading their answer. Beside them, others are
/// served, and to the last byte everything is counted that has arrived.
#[test]
fn bad_clients_do_not_affect_others() {
    let (mut process, address) = listening();
    // They stay to the end.
    let silent = connect(address);
    let mut half = connect(address);
    half.write_all(b"half a li").unwrap();
    counted(&mut process, "0 lines, 9 bytes, 2 clients");
    counted_client(address, "the cat\nthe dog\n");
    counted(&mut process, "2 lines, 25 bytes, 3 clients");

    // They disconnect: a line without an end counts then.
    counted_client(address, "");
    counted_client(address, "half");
    counted(&mut process, "3 lines, 29 bytes, 5 clients");
    drop(connect(address));
    let mut rude = connect(address);
    rude.write_all(b"not waiting for an answer\n").unwrap();
    drop(rude);
    counted(&mut process, "4 lines, 55 bytes, 7 clients");

    // They reset. What has arrived before is counted; to be sure that it has, the test waits for
    // it.
    reset(connect(address));
    let mut cut_off = connect(address);
    cut_off.write_all(b"whole line\nhalf a li").unwrap();
    counted(&mut process, "5 lines, 75 bytes, 9 clients");
    reset(cut_off);
    counted(&mut process, "6 lines, 75 bytes, 9 clients");
    let mut unread = connect(address);
    unread.write_all(b"a\n").unwrap();
    counted(&mut process, "7 lines, 77 bytes, 10 clients");
    unread.shutdown(Shutdown::Write).unwrap();
    // Its answer is here, and is never read.
    unread.peek(&mut [0]).unwrap();
    reset(unread);

    counted_client(address, "still\nhere\n");
    process.kill(libc::SIGTERM);
    let last = find(&mut process, "final summary");
    // The half line of the client that stayed is a line, because the filter ends.
    assert!(last.starts_with("10 lines, 88 bytes, 11 clients"), "{last}");
    assert_eq!(process.exit_code(), 0);
    drop((silent, half));
}

/// Many good clients, and as many bad ones at the same time, which all are reset at some point of
/// what they send.
#[test]
fn clients_lose_nothing_because_of_others_that_reset() {
    const GOOD: usize = 8;
    const BAD: usize = 200;
    const GOOD_LINES: usize = 20_000;
    let (mut process, address) = listening();
    thread::scope(|scope| {
        for n in 0..GOOD {
            scope.spawn(move || counted_client(address, &format!("good{n} line\n").repeat(GOOD_LINES)));
        }
        scope.spawn(move || {
            for n in 0..BAD {
                let mut client = connect(address);
                client.write_all(&b"bad line\nbad li"[..n % 16]).unwrap();
                reset(client);
            }
        });
    });
    process.kill(libc::SIGTERM);
    let last = find(&mut process, "final summary");
    assert_eq!(process.exit_code(), 0);
    // How much of what the bad ones have sent arrives is up to the OS, but every good line does:
    // their words are not the bad ones', and their counts are exact.
    let (_, words) = last.split_once("words: ").expect("there are words");
    let top: Vec<String> = (0..5).map(|n| format!("good{n} {GOOD_LINES}")).collect();
    assert_eq!(words, top.join(", "));
    let lines: usize = last.split(' ').next().unwrap().parse().unwrap();
    let bad_lines = lines - GOOD * GOOD_LINES;
    assert!(bad_lines <= BAD * 2, "{last}");
    let clients: usize = last.split(' ').nth(4).unwrap().parse().unwrap();
    assert!((GOOD..=GOOD + BAD).contains(&clients), "{last}");
}

/// A silent standard input that does not end blocks nothing else: summaries are printed, clients
/// are served, signals have their effect.
#[test]
fn a_silent_stdin_blocks_nothing() {
    let options = ["--stdin", "--listen", "clients=127.0.0.1:0", "--signal", "hup,int,term"];
    let mut command = uv_run(&options, GUEST);
    command.stdin(std::process::Stdio::piped());
    let mut process = Process::spawn(command);
    let mut silent = process.stdin();
    let address = listens_on(&mut process);
    let summary = find(&mut process, "summary");
    assert!(summary.starts_with("0 lines, 0 bytes, 0 clients"), "{summary}");

    counted_client(address, "the cat\nthe dog\n");
    process.kill(libc::SIGHUP);
    let reset = find(&mut process, "reset");
    assert!(reset.starts_with("2 lines, 16 bytes, 1 clients, words: the 2"), "{reset}");
    let summary = find(&mut process, "summary");
    assert!(summary.starts_with("0 lines, 0 bytes, 0 clients"), "{summary}");

    // Until now it was silent. A line without an end counts when the filter ends.
    silent.write_all(b"one\ntwo\nthr").unwrap();
    counted(&mut process, "2 lines, 11 bytes");
    process.kill(libc::SIGTERM);
    let last = find(&mut process, "final summary");
    assert!(last.starts_with("3 lines, 11 bytes, 0 clients"), "{last}");
    assert_eq!(process.exit_code(), 0);
}

/// Bytes of a line, with its end.
const LINE: usize = 16;

/// The contents of the pipe.
const MEGABYTE: usize = 1 << 20;

/// The number of bytes that wait in a pipe.
fn queued(pipe: &impl AsRawFd) -> usize {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open, and `FIONREAD` writes to a valid integer.
    let result = unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut bytes) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    bytes.try_into().unwrap()
}

/// SIGTERM arrives while a megabyte is queued in the pipe, and more comes without end. What was
/// read until the guest ends is in the final summary, to the last line, and what was not is still
/// in the pipe.
#[test]
fn a_signal_loses_no_line_that_was_read() {
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    // SAFETY: the descriptor is open, and the size is a plain number.
    let size = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETPIPE_SZ, MEGABYTE as libc::c_int) };
    assert_eq!(size, MEGABYTE as libc::c_int, "{}", std::io::Error::last_os_error());
    let mut command = uv_run(&["--stdin", "--signal", "term", "--wake", "print=usr1"], GUEST);
    command.stdin(reader.try_clone().unwrap());
    let mut process = Process::spawn(command);
    let enough = Arc::new(AtomicBool::new(false));
    let writing = std::thread::spawn({
        let enough = enough.clone();
        move || {
            let text = b"fifteen letters\n".repeat(MEGABYTE / LINE);
            let mut written = 0;
            while !enough.load(Ordering::Relaxed) {
                writer.write_all(&text).unwrap();
                written += text.len();
            }
            written
        }
    });
    // It has read something, and watches the signal. Stopped, it lets the pipe become full; the
    // pages at the ends of what is queued need not be.
    while find(&mut process, "summary").starts_with("0 lines") {}
    process.kill(libc::SIGSTOP);
    wait_until("the pipe is full", || queued(&reader) > MEGABYTE / 4 * 3);
    process.kill(libc::SIGTERM);
    process.kill(libc::SIGCONT);
    let summary = find(&mut process, "final summary");
    assert_eq!(process.exit_code(), 0);
    enough.store(true, Ordering::Relaxed);
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    let written = writing.join().unwrap();

    let mut numbers = summary.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<usize>().ok());
    let (lines, bytes) = (numbers.next().unwrap(), numbers.next().unwrap());
    // If the last line that was read was cut off, its beginning is a line.
    assert_eq!(lines, bytes.div_ceil(LINE), "{summary}");
    assert!(summary.ends_with(&format!("words: fifteen {lines}")) || bytes % LINE != 0, "{summary}");
    assert_eq!(bytes + rest.len(), written, "{summary}, and {} bytes are left", rest.len());
}
