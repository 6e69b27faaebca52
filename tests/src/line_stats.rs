//! The example line-stats, which each language has: all print the same.

use crate::os::connect;
use crate::process::{Process, uv_run};
use crate::script::{Ended, Language, root};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::{Command, Stdio};

/// The address of the granted listener.
pub fn address(process: &mut Process) -> SocketAddr {
    let prefix = "uv-run: clients listens on ";
    process.stderr.find(|line| Some(line.strip_prefix(prefix)?.parse().expect("an address")))
}

/// The final summary of a command that is given this input.
fn final_summary(mut command: Command, input: &[u8]) -> String {
    command.stdin(Stdio::piped());
    let mut process = Process::spawn(command);
    let (mut stdin, input) = (process.stdin(), input.to_vec());
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
    let summary = process.stdout.find(|line| line.strip_prefix("final summary: ").map(str::to_owned));
    writer.join().unwrap();
    assert_eq!(process.exit_code(), 0);
    summary
}

/// Compares the script's summaries with those of the guest in Rust; one input has so many lines.
///
/// # Panics
///
/// If they differ.
pub fn prints_what_the_guest_in_rust_prints(language: &Language, lines: u32) {
    let numbers: String = (0..lines).map(|n| format!("{n}\n")).collect();
    let mut page = std::fs::read(root().join("docs/semantics.md")).unwrap();
    page.truncate(page.len() - 1);
    let long = [&[b'x'; 100_000][..], b" y\n", &[b'x'; 64], b"\n", &[b'x'; 63], b"\n"].concat();
    let words: String = (0..30_000).map(|n| format!("{}\n", n * 7919 % 12_345)).collect();
    for input in [
        &b""[..],
        b"\n",
        b"no newline",
        b"  one two\nthree\n\nfour five\r\nsix\n\t\n one",
        b"\x1b[2J\xe2\x80\xa8x\0\n\xff\n\x0b\x0c\x1c a\n\xe2\x82\n\xf0\x9f\x98\xff b\n",
        numbers.as_bytes(),
        &page,
        &long,
        words.as_bytes(),
    ] {
        let theirs = final_summary(uv_run(&["--stdin"], "line-stats"), input);
        let ours = final_summary(language.example(&["--stdin"], "line_stats"), input);
        assert_eq!(ours, theirs, "{}", String::from_utf8_lossy(&input[..input.len().min(100)]));
    }
}

/// The script has a client, and gets signals.
///
/// # Panics
///
/// If an answer differs.
pub fn serves_clients_and_answers_to_signals(language: &Language) {
    let options = ["--stdin", "--listen=clients=127.0.0.1:0", "--signal=hup,int,term", "--wake=print=usr1"];
    let mut command = language.example(&options, "line_stats");
    command.stdin(Stdio::piped());
    let mut process = Process::spawn(command);
    let address = address(&mut process);
    let mut silent = process.stdin();
    let find = |process: &mut Process, title: &str| {
        process.stdout.find(|line| line.strip_prefix(&format!("{title}: ")).map(str::to_owned))
    };
    let summary = find(&mut process, "summary");
    assert!(summary.starts_with("0 lines, 0 bytes, 0 clients"), "{summary}");

    let mut client = connect(address);
    client.write_all(b"the cat\nthe dog\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "you sent 2 lines, 16 bytes\n");

    process.kill(libc::SIGHUP);
    let reset = find(&mut process, "reset");
    assert!(reset.starts_with("2 lines, 16 bytes, 1 clients, words: the 2"), "{reset}");
    silent.write_all(b"one\ntwo\nthr").unwrap();
    while !find(&mut process, "summary").starts_with("2 lines, 11 bytes") {}
    process.kill(libc::SIGTERM);
    let last = find(&mut process, "final summary");
    assert!(last.starts_with("3 lines, 11 bytes, 0 clients"), "{last}");
    assert_eq!(process.exit_code(), 0);
}

/// Without a grant there is nothing to read.
///
/// # Panics
///
/// If the script does not say so.
pub fn without_anything_to_read_says_so(language: &Language) {
    let ended = Ended::of(language.example(&[], "line_stats"));
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.join("\n").contains("line-stats: there is nothing to read"), "{ended:?}");
}
