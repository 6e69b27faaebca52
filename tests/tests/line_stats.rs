//! The example line-stats, as a user runs it: every line is counted, whatever it comes through, and
//! nothing keeps the other things waiting.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::net::{Shutdown, SocketAddr};
use uv_handles_tests::os::connect;
use uv_handles_tests::process::{Process, uv_run};

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

/// What follows the title in the next line with this title.
fn find(process: &mut Process, title: &str) -> String {
    let prefix = format!("{title}: ");
    process.stdout.find(|line| line.strip_prefix(&prefix).map(str::to_owned))
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

/// A standard input that says nothing and does not end keeps nobody waiting: summaries come, clients
/// are served, signals do what they do.
#[test]
fn a_silent_stdin_blocks_nothing() {
    let options = ["--stdin", "--listen", "clients=127.0.0.1:0", "--signal", "hup,int,term"];
    let mut command = uv_run(&options, GUEST);
    command.stdin(std::process::Stdio::piped());
    let mut process = Process::spawn(command);
    let mut silent = process.stdin();
    let address: SocketAddr = process
        .stderr
        .find(|line| Some(line.strip_prefix("uv-run: clients listens on ")?.parse().expect("an address")));
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
    let summary = find(&mut process, "summary");
    assert!(summary.starts_with("0 lines, 0 bytes, 0 clients"), "{summary}");

    // Until now it was silent. A line without an end counts when the filter ends.
    silent.write_all(b"one\ntwo\nthr").unwrap();
    let complete = "2 lines, 11 bytes";
    while !find(&mut process, "summary").starts_with(complete) {}
    process.kill(libc::SIGTERM);
    let last = find(&mut process, "final summary");
    assert!(last.starts_with("3 lines, 11 bytes, 0 clients"), "{last}");
    assert_eq!(process.exit_code(), 0);
}
