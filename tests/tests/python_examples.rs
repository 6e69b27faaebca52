//! The scripts of examples/python, as a user runs them.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Stdio;
use uv_handles_tests::os::connect;
use uv_handles_tests::process::{Process, uv_run};
use uv_handles_tests::python::{Ended, root, uv_run_script};

fn start(options: &[&str], name: &str) -> Process {
    Process::spawn(uv_run_script(options, &root().join("examples/python").join(name)))
}

/// The address of the granted listener.
fn address(process: &mut Process) -> SocketAddr {
    let prefix = "uv-run: clients listens on ";
    process.stderr.find(|line| Some(line.strip_prefix(prefix)?.parse().expect("an address")))
}

#[test]
fn first_timer() {
    let script = root().join("examples/python/first_timer.py");
    Ended::of(uv_run_script(&["--virtual-time"], &script)).printed(&["half a second later"]);
}

/// The final summary of a command that is given this input.
fn final_summary(mut command: std::process::Command, input: &[u8]) -> String {
    command.stdin(Stdio::piped());
    let mut process = Process::spawn(command);
    let (mut stdin, input) = (process.stdin(), input.to_vec());
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
    let summary = process.stdout.find(|line| line.strip_prefix("final summary: ").map(str::to_owned));
    writer.join().unwrap();
    assert_eq!(process.exit_code(), 0);
    summary
}

#[test]
fn line_stats_prints_what_the_guest_in_rust_prints() {
    let script = root().join("examples/python/line_stats.py");
    let numbers: String = (0..200_000).map(|n| format!("{n}\n")).collect();
    let mut page = fs::read(root().join("docs/semantics.md")).unwrap();
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
        let ours = final_summary(uv_run_script(&["--stdin"], &script), input);
        assert_eq!(ours, theirs, "{}", String::from_utf8_lossy(&input[..input.len().min(100)]));
    }
}

#[test]
fn line_stats_serves_clients_and_answers_to_signals() {
    let options = ["--stdin", "--listen=clients=127.0.0.1:0", "--signal=hup,int,term", "--wake=print=usr1"];
    let mut command = uv_run_script(&options, &root().join("examples/python/line_stats.py"));
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
    std::io::Read::read_to_string(&mut client, &mut answer).unwrap();
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

#[test]
fn line_stats_without_anything_to_read_says_so() {
    let mut process = start(&[], "line_stats.py");
    assert_eq!(process.exit_code(), 1);
    assert!(process.stderr.all().join("\n").contains("line-stats: there is nothing to read"));
}

/// A guest of the chat.
struct Guest(BufReader<TcpStream>);

impl Guest {
    fn enter(address: SocketAddr) -> Guest {
        Guest(BufReader::new(connect(address)))
    }

    fn say(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    #[track_caller]
    fn hears(&mut self, expected: &str) {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert_eq!(line, format!("{expected}\n"));
    }
}

#[test]
fn chat() {
    let mut process = start(&["--listen=clients=127.0.0.1:0", "--signal=int,term"], "chat.py");
    let address = address(&mut process);
    let mut one = Guest::enter(address);
    one.hears("you are guest 1, with 0 others");
    let mut two = Guest::enter(address);
    two.hears("you are guest 2, with 1 others");
    one.hears("guest 2 has come");
    let mut three = Guest::enter(address);
    three.hears("you are guest 3, with 2 others");
    one.hears("guest 3 has come");
    two.hears("guest 3 has come");

    one.say("hello");
    one.say(" all\r\nand more\n");
    for guest in [&mut two, &mut three] {
        guest.hears("guest 1: hello all");
        guest.hears("guest 1: and more");
    }
    drop(two);
    one.hears("guest 2 has left");
    three.hears("guest 2 has left");
    three.say(&format!("{}\n", "x".repeat(1_500)));
    one.hears(&format!("guest 3: {}", "x".repeat(1_500)));

    process.kill(libc::SIGTERM);
    one.hears("the server closes");
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn graceful_reload() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.json");
    let write = |text: &str| {
        fs::write(file.with_extension("new"), text).unwrap();
        fs::rename(file.with_extension("new"), &file).unwrap();
    };
    write(r#"{"greeting": "hello", "every": 1}"#);
    let granted = format!("--dir-ro={}::/config", dir.path().display());
    let mut process = start(&[&granted, "--signal=hup,int,term"], "graceful_reload.py");
    let greeted = |process: &mut Process, greeting: &str| {
        process.stdout.find(|line| line.strip_prefix(greeting)?.trim().parse::<u64>().ok())
    };
    let first = greeted(&mut process, "hello");
    assert_eq!(first, 1);

    write(r#"{"greeting": "bonjour", "every": 2}"#);
    process.kill(libc::SIGHUP);
    process.stdout.find(|line| (line == "reloaded").then_some(()));
    let second = greeted(&mut process, "bonjour");
    assert!(second > first);

    for (broken, expected) in [
        ("{", "Expecting"),
        (r#"{"greeting": "x"}"#, "every"),
        (r#"{"greeting": "x", "every": 0}"#, "at least 1"),
    ] {
        write(broken);
        process.kill(libc::SIGHUP);
        process.stderr.find(|line| {
            (line.starts_with("the configuration stays") && line.contains(expected)).then_some(())
        });
    }
    assert!(greeted(&mut process, "bonjour") > second, "it goes on as before");
    process.kill(libc::SIGTERM);
    process.stdout.find(|line| line.ends_with(" times").then_some(()));
    assert_eq!(process.exit_code(), 0);
}
