//! `uv-run` with bad input, and guests that fail: always one sentence that a user understands, and
//! the exit code that the manual promises.

// Unix sockets and FIFOs.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use uv_handles_tests::process::{Process, uv_run};
use uv_handles_tests::*;

foreach_uv_run_bad_input!(assert_test_exists);

/// Asserts that the text contains nothing that only uv-run's developers understand.
#[track_caller]
fn assert_plain(stderr: &[String]) {
    let text = stderr.join("\n");
    for word in ["panicked", "RUST_BACKTRACE", "stack backtrace", "wasm trap", ".rs:", "Caused by", "Error {"]
    {
        assert!(!text.contains(word), "{text}");
    }
}

/// Asserts that it ends with 2 before anything runs, and returns its standard error.
#[track_caller]
fn refused(options: &[&str], file: &str) -> Vec<String> {
    let mut command = Command::new(uv_run(&[], UV_RUN_BAD_INPUT_TRAP).get_program());
    command.args(options).arg(file).env_remove("RUST_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::spawn(command);
    let code = process.exit_code();
    let stderr = process.stderr.all();
    assert_eq!(code, 2, "{stderr:?}");
    assert!(process.stdout.all().is_empty(), "nothing runs");
    assert_plain(&stderr);
    stderr
}

/// Asserts that its whole output is one sentence with these words.
#[track_caller]
fn refused_in_one_sentence(options: &[&str], file: &str, expected: &[&str]) {
    let stderr = refused(options, file);
    assert_eq!(stderr.len(), 1, "{stderr:?}");
    assert!(stderr[0].starts_with("uv-run: "), "{stderr:?}");
    for words in expected {
        assert!(stderr[0].contains(words), "{words}: {stderr:?}");
    }
}

/// A guest that could be run.
fn guest() -> String {
    component(UV_RUN_BAD_INPUT_TRAP).to_str().expect("a plain path").to_owned()
}

/// A component's header, and an import of an instance without members, of this name.
fn importing(name: &str) -> Vec<u8> {
    // Type section: one instance type without declarations. Import section: it, by name.
    let import = [&[1, 0, name.len() as u8], name.as_bytes(), &[5, 0]].concat();
    [b"\0asm\x0d\0\x01\0", &[7, 3, 1, 0x42, 0, 10, import.len() as u8][..], &import[..]].concat()
}

#[test]
fn a_file_that_is_no_program_is_refused_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    for (name, content, expected) in [
        ("empty.wasm", &b""[..], "too short to be WebAssembly"),
        ("text.wasm", b"#!/bin/sh\necho no\n", "is not WebAssembly"),
        ("text-format.wasm", b"(component)", "text format"),
        ("module.wasm", b"\0asm\x01\0\0\0", "a core module, not a component"),
        ("cut.wasm", b"\0asm\x0d\0\x01\0\x07", "not a valid WebAssembly component"),
        ("library.wasm", b"\0asm\x0d\0\x01\0", "does not export wasi:cli/run"),
        ("unknown.wasm", &importing("acme:rockets/launch@1.0.0"), "acme:rockets/launch@1.0.0, which uv-run"),
        ("newer.wasm", &importing("uv:handles/timer@0.9.0"), "this uv-run has uv:handles@"),
    ] {
        let path = dir.path().join(name).to_str().unwrap().to_owned();
        fs::write(&path, content).unwrap();
        refused_in_one_sentence(&[], &path, &[&path, expected]);
    }
}

#[test]
fn a_script_in_an_unknown_language_is_refused_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    for (name, content, expected) in [
        ("script.txt", "print('a')\n", "its name does not tell the language of a script; --language python"),
        ("script", "#!/usr/bin/env uv-run\n", "the first line of"),
        ("script.cjs", "require('fs')\n", "a script in CommonJS"),
    ] {
        let path = dir.path().join(name).to_str().unwrap().to_owned();
        fs::write(&path, content).unwrap();
        refused_in_one_sentence(&[], &path, &[&path, expected]);
    }
}

#[test]
fn a_list_of_signals_with_spaces_is_refused_in_one_sentence() {
    refused_in_one_sentence(&["--signal", "hup,int"], "term", &["as --signal hup,int,term"]);
}

#[test]
fn the_beginning_of_a_program_is_refused_in_one_sentence() {
    let whole = fs::read(guest()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cut.wasm").to_str().unwrap().to_owned();
    for length in [4, 9, 1000, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        refused_in_one_sentence(&[], &path, &[&path, "is not a valid WebAssembly component"]);
    }
}

#[test]
fn a_file_that_can_not_be_read_is_refused_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.wasm").to_str().unwrap().to_owned();
    refused_in_one_sentence(&[], &missing, &[&missing, "cannot be read", "No such file"]);
    let dir = dir.path().to_str().unwrap();
    refused_in_one_sentence(&[], dir, &[dir, "is a directory with neither __main__.py nor"]);
    refused_in_one_sentence(&["--list-imports"], &missing, &[&missing, "cannot be read"]);
}

#[test]
fn a_socket_that_is_taken_is_refused_in_one_sentence() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let option = format!("clients={}", tcp.local_addr().unwrap());
    refused_in_one_sentence(&["--listen", &option], &guest(), &["--listen", &option, "in use"]);

    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = udp.local_addr().unwrap().to_string();
    let option = format!("packets={address}");
    refused_in_one_sentence(&["--udp", &option], &guest(), &["--udp packets", &address, "in use"]);

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket").to_str().unwrap().to_owned();
    let _unix = UnixListener::bind(&path).unwrap();
    let option = format!("clients={path}");
    refused_in_one_sentence(
        &["--unix-listen", &option],
        &guest(),
        &["--unix-listen clients", &path, "in use"],
    );
    refused_in_one_sentence(&["--control", &path], &guest(), &["--control", &path, "in use"]);
}

#[test]
fn a_grant_that_is_not_possible_is_refused_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("file"), "precious").unwrap();
    for (option, value, expected) in [
        ("--unix-listen", format!("clients={}", path("file")), "is no socket"),
        ("--control", path("file"), "is no socket"),
        ("--fifo", format!("in={}", path("none")), "mkfifo"),
        ("--fifo", format!("in={}", path("file")), "is no FIFO"),
        ("--dir", path("none"), "cannot be opened"),
        ("--dir", path("file"), "is a file: a directory is granted whole, as --dir /"),
        ("--listen", "clients=name.invalid:0".into(), "cannot be resolved"),
        ("--dir-ro", format!("{}::/data", path("none")), "cannot be opened"),
        ("--env", "UV_RUN_HAS_NO_SUCH_VARIABLE".into(), "has no such variable"),
        ("--max-memory", "1K".into(), "needs more memory to begin with"),
    ] {
        refused_in_one_sentence(&[option, &value], &guest(), &[option, expected]);
    }
    assert_eq!(fs::read(path("file")).unwrap(), b"precious");
}

#[test]
fn options_that_contradict_each_other_are_refused_in_one_sentence() {
    for (options, expected) in [
        (&["--listen=a=127.0.0.1:0", "--udp=a=127.0.0.1:0"][..], "\"a\" is granted twice"),
        (&["--stdin", "--stdout-as=stdin"], "\"stdin\" is granted twice, by --stdin and by --stdout-as"),
        (&["--signal=hup,usr1", "--wake=print=usr1"], "the signal usr1 can be either"),
    ] {
        refused_in_one_sentence(options, &guest(), &[expected]);
    }
}

/// The sentence comes first, and then how to get help.
#[test]
fn an_option_that_can_not_be_read_is_refused() {
    for (options, expected) in [
        (&["--no-such-option"][..], "'--no-such-option'"),
        (&["--listen", "clients"], "expected NAME=..."),
        (&["--listen", "=127.0.0.1:0"], "the name is empty"),
        (&["--listen", "clients=localhost"], "is no ADDRESS:PORT"),
        (&["--listen", "clients=127.0.0.1:65536"], "is no ADDRESS:PORT"),
        (&["--connect", "peer=example.org"], "is no HOST:PORT"),
        (&["--udp", "packets=127.0.0.1:0,"], "is no HOST:PORT"),
        (&["--unix-listen", "clients="], "the path is empty"),
        (&["--fifo", "in=,read"], "the path is empty"),
        (&["--stdout-as", ""], "the name is empty"),
        (&["--signal", "kill"], "the signal kill cannot be watched"),
        (&["--signal", "hup,fire"], "there is no signal \"fire\""),
        (&["--http", "http://127.0.0.1:8011/a"], "name its host alone, \"127.0.0.1:8011\""),
        (&["--http", "*.example.org"], "such as example.org, localhost:8080 or localhost:*; all hosts are *"),
        (&["--wake", "print=9"], "the signal 9 cannot be watched"),
        (&["--dir", "::/data"], "the path is empty"),
        (&["--env", "=value"], "the name is empty"),
        (&["--max-handles", "many"], "many"),
        (&["--max-loops", "-1"], "-1"),
        (&["--max-memory", "1T"], "is no size in bytes"),
        (&["--timeout", "0"], "is no number of seconds above 0"),
        (&["--timeout", "soon"], "is no number of seconds above 0"),
    ] {
        let stderr = refused(options, &guest());
        assert!(stderr[0].starts_with("error: ") && stderr[0].contains(expected), "{options:?}: {stderr:?}");
        assert!(stderr.last().unwrap().contains("--help"), "{stderr:?}");
    }
}

#[test]
fn a_configuration_file_that_can_not_be_used_is_refused_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("uv-run.toml").to_str().unwrap().to_owned();
    let options = ["--config", &path];
    refused_in_one_sentence(&options, &guest(), &["--config", &path, "cannot be read"]);
    for (text, line, expected) in [
        ("stdin = true\nlisen = { a = \"127.0.0.1:0\" }", 2, "unknown key `lisen`"),
        ("\n\n[max]\nhandles = 1", 3, "unknown key `max`"),
        ("config = \"other.toml\"", 1, "unknown key `config`"),
        ("stdin = true\nstdin = true", 2, "duplicate key"),
        ("stdin", 1, ""),
        ("timeout = 0", 1, "is no number of seconds above 0"),
        ("[listen]\nclients = \"localhost\"", 1, "is no ADDRESS:PORT"),
        ("signal = [\"kill\"]", 1, "cannot be watched"),
    ] {
        fs::write(&path, text).unwrap();
        let place = format!("--config {path}, line {line}: ");
        refused_in_one_sentence(&options, &guest(), &[&place, expected]);
    }
    // A well-formed and impossible value is refused as on the command line.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    fs::write(&path, format!("listen = {{ clients = \"{}\" }}", taken.local_addr().unwrap())).unwrap();
    refused_in_one_sentence(&options, &guest(), &["--listen clients", "in use"]);
}

/// A sentence in plain words, and the names of the guest's functions.
#[test]
fn uv_run_bad_input_trap() {
    for (way, expected, function) in [
        ("unreachable", "it aborted", "reaches_what_is_unreachable"),
        ("memory", "it used an address outside of its memory", "reads_outside_of_memory"),
        ("stack", "its calls are nested too deeply for its stack", "calls_itself"),
    ] {
        let mut command = uv_run(&[], UV_RUN_BAD_INPUT_TRAP);
        command.arg(way);
        let mut process = Process::spawn(command);
        assert_eq!(process.exit_code(), 1, "{way}");
        assert_eq!(process.stdout.all(), ["begins"]);
        let stderr = process.stderr.all();
        assert_plain_trap(&stderr, expected);
        let calls = stderr[2..].join("\n");
        assert!(calls.contains(function), "{stderr:#?}");
    }
}

#[track_caller]
fn assert_plain_trap(stderr: &[String], expected: &str) {
    assert!(stderr[0].starts_with(&format!("uv-run: the guest trapped: {expected}")), "{stderr:#?}");
    assert_eq!(stderr[1], "uv-run: the guest's calls, the last one first:");
    let said = stderr.iter().filter(|line| line.starts_with("uv-run: ")).count();
    assert_eq!(said, 2, "{stderr:#?}");
    for word in ["panicked", "RUST_BACKTRACE", "wasm trap", "error while executing", "Caused by"] {
        assert!(!stderr.iter().any(|line| line.contains(word)), "{stderr:#?}");
    }
}

/// A pipe whose reader takes one line, as `head -1` does, and goes.
#[test]
fn uv_run_bad_input_prints_forever() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = uv_run(&[], UV_RUN_BAD_INPUT_PRINTS_FOREVER);
    command.stdout(writer);
    let mut process = Process::spawn(command);
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "line 0\n");
    drop(reader);
    assert_eq!(process.exit_code(), 141);
    assert_eq!(process.stderr.all(), [""; 0], "it ends without a word");
}

#[test]
fn lists_that_are_not_read_end_silently_too() {
    for options in [["--list-imports", "--no-cache"], ["--completions", "bash"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = uv_run(&options, UV_RUN_BAD_INPUT_TRAP);
        command.stdout(writer);
        let mut process = Process::spawn(command);
        assert_eq!(process.exit_code(), 141, "{options:?}");
        assert_eq!(process.stderr.all(), [""; 0], "{options:?}");
    }
}
