//! The options that grant descriptors, but for `--listen` and `--stdin`, which are in `everyday.rs`.

// Unix sockets and FIFOs.
#![cfg(unix)]

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, UdpSocket};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Stdio;
use uv_handles_tests::os::{listener, make_fifo, patient, place, read_exactly, serve_two_connections};
use uv_handles_tests::process::{Process, ended, find, start, uv_run};
use uv_handles_tests::*;

foreach_uv_run_descriptors!(assert_test_exists);

const LINE_STATS: &str = "line-stats";

/// A socket on a free port, and its address.
fn udp() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// The text of the next datagram, and its sender.
fn received(socket: &UdpSocket) -> (String, SocketAddr) {
    let mut buffer = [0; 100];
    let (length, sender) = socket.recv_from(&mut buffer).expect("the guest answers");
    (String::from_utf8_lossy(&buffer[..length]).into_owned(), sender)
}

/// Waits until the copying guest has opened its descriptors.
fn ready(process: &mut Process) {
    process.stderr.find(|line| (line == "ready").then_some(()));
}

#[test]
fn a_unix_socket_is_listened_on_and_its_file_removed_at_the_end() {
    let (_dir, path) = place();
    // The file that a killed run left behind is replaced.
    drop(UnixListener::bind(&path).unwrap());
    let options = ["--unix-listen", &format!("clients={path}"), "--signal", "term"];
    let mut process = start(&options, LINE_STATS, &[]);
    find(&mut process, "summary");
    for _ in 0..2 {
        let mut client = patient(UnixStream::connect(&path).unwrap());
        client.write_all(b"the cat\nthe dog\n").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "you sent 2 lines, 16 bytes\n");
    }
    process.kill(libc::SIGTERM);
    let summary = find(&mut process, "final summary");
    assert!(summary.starts_with("4 lines, 32 bytes, 2 clients, words: the 4"), "{summary}");
    assert_eq!(process.exit_code(), 0);
    assert!(!Path::new(&path).exists());
}

#[test]
fn a_unix_sockets_file_is_removed_after_a_timeout_too() {
    for way in ["waits", "sleeps"] {
        let (_dir, path) = place();
        let options = ["--unix-listen", &format!("clients={path}"), "--timeout", "0.2"];
        assert_eq!(ended(&options, UV_RUN_TIME_NEVER_ENDS, &[way]).code, 124);
        assert!(!Path::new(&path).exists(), "{way}");
    }
}

/// The guest returns its input in upper case, and ends with its input.
fn answers(process: &mut Process, mut peer: impl Read + Write, shutdown: impl FnOnce()) {
    for text in ["hello\n", "world\n"] {
        peer.write_all(text.as_bytes()).unwrap();
        assert_eq!(read_exactly(&mut peer, text.len()), text.to_uppercase().as_bytes());
    }
    shutdown();
    assert_eq!(process.exit_code(), 0);
    assert_eq!(peer.read(&mut [0]).unwrap(), 0, "the guest's side is closed with it");
}

#[test]
fn uv_run_descriptors_copy() {
    let (listener, address) = listener();
    let option = format!("--connect=peer={address}");
    let mut process = start(&[&option], UV_RUN_DESCRIPTORS_COPY, &["peer", "peer"]);
    ready(&mut process);
    let (peer, _) = listener.accept().unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let shutdown = peer.try_clone().unwrap();
    answers(&mut process, peer, || shutdown.shutdown(Shutdown::Write).unwrap());
}

#[test]
fn a_connection_is_made_again_at_each_open() {
    let (listener, address) = listener();
    let mut process = start(&["--connect", &format!("peer={address}")], DESCRIPTORS_RECONNECTS, &[]);
    serve_two_connections(listener);
    assert_eq!(process.stdout.all(), ["one", "two", "ECONNREFUSED"]);
    assert_eq!(process.exit_code(), 0);
    for (option, peer, error) in
        [("--connect", "name.invalid:1".into(), "EAI_NONAME"), ("--unix-connect", place().1, "ENOENT")]
    {
        let options = [option, &format!("peer={peer}")];
        ended(&options, DESCRIPTORS_RECONNECTS, &[]).printed(&[error]);
    }
}

#[test]
fn a_unix_socket_is_connected_to() {
    let (_dir, path) = place();
    let listener = UnixListener::bind(&path).unwrap();
    let option = format!("--unix-connect=peer={path}");
    let mut process = start(&[&option], UV_RUN_DESCRIPTORS_COPY, &["peer", "peer"]);
    ready(&mut process);
    let peer = patient(listener.accept().unwrap().0);
    let shutdown = peer.try_clone().unwrap();
    answers(&mut process, peer, || shutdown.shutdown(Shutdown::Write).unwrap());
    assert!(Path::new(&path).exists(), "the file is the other side's");
}

/// The address of the UDP socket of this name, as uv-run reports it.
fn receives_on(process: &mut Process, name: &str) -> SocketAddr {
    let prefix = format!("uv-run: {name} receives on ");
    process.stderr.find(|line| Some(line.strip_prefix(&prefix)?.parse().expect("an address")))
}

#[test]
fn a_udp_socket_talks_to_anybody() {
    let mut process = start(&["--udp", "udp=127.0.0.1:0"], DESCRIPTORS_DATAGRAMS, &[]);
    let address = receives_on(&mut process, "udp");
    assert_eq!(process.stdout.next_line(), Some(address.to_string()));
    for text in ["one", "two"] {
        let (ours, sender) = udp();
        ours.send_to(text.as_bytes(), address).unwrap();
        assert_eq!(received(&ours), (text.to_uppercase(), address));
        assert_eq!(process.stdout.next_line(), Some(format!("{sender} {text}")));
    }
    udp().0.send_to(b"end", address).unwrap();
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_connected_udp_socket_talks_to_its_peer_only() {
    let ((ours, peer), (stranger, _)) = (udp(), udp());
    let option = format!("--udp=peer=127.0.0.1:0,{peer}");
    let mut process = start(&[&option], UV_RUN_DESCRIPTORS_COPY, &["peer", "peer"]);
    let address = receives_on(&mut process, "peer");
    ready(&mut process);
    stranger.send_to(b"stranger", address).unwrap();
    for text in ["one", "end\n"] {
        ours.send_to(text.as_bytes(), address).unwrap();
        assert_eq!(received(&ours), (text.to_uppercase(), address));
    }
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_fifo_is_read_to_the_end_of_its_last_writer() {
    let (_dir, path) = place();
    make_fifo(Path::new(&path));
    let mut process = start(&["--fifo", &format!("fifo={path}")], POLL_FIFO, &[]);
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    let writer = File::options().write(true).open(&path).unwrap();
    let content = vec![1; 300_000];
    (&writer).write_all(&content).unwrap();
    drop(writer);
    assert_eq!(process.stdout.next_line().as_deref(), Some("300000 bytes, sum 300000"));
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_fifo_that_is_opened_for_both_does_not_end_with_its_writers_and_one_can_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let (commands, answers) = (dir.path().join("commands"), dir.path().join("answers"));
    make_fifo(&commands);
    make_fifo(&answers);
    // `,write` needs a reader already.
    let mut reader =
        File::options().read(true).custom_flags(libc::O_NONBLOCK).open(&answers).expect("it does not wait");
    let options = [
        format!("--fifo=commands={},both", commands.display()),
        format!("--fifo=answers={},write", answers.display()),
    ];
    let options = options.each_ref().map(String::as_str);
    let mut process = start(&options, UV_RUN_DESCRIPTORS_COPY, &["commands", "answers"]);
    ready(&mut process);
    for text in ["one\n", "two\n", "end\n"] {
        // Each writer is another one, and closes the FIFO.
        fs::write(&commands, text).unwrap();
        let mut answer = Vec::new();
        wait_until("the answer comes", || {
            if let Err(error) = reader.read_to_end(&mut answer) {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
            }
            answer.len() >= text.len()
        });
        assert_eq!(answer, text.to_uppercase().as_bytes());
    }
    assert_eq!(process.exit_code(), 0);
}

/// Numbered lines, more of them than fit into any pipe.
fn numbered_lines() -> Vec<String> {
    (0..200_000).map(|number| format!("line {number}")).collect()
}

#[test]
fn everything_that_is_written_to_stdout_as_is_out_before_the_end() {
    let lines = numbered_lines();
    let mut command = uv_run(&["--stdin", "--stdout-as", "out"], UV_RUN_DESCRIPTORS_COPY);
    command.args(["stdin", "out"]).stdin(Stdio::piped());
    let mut process = Process::spawn(command);
    let (mut stdin, text) = (process.stdin(), lines.join("\n"));
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    let copied = process.stdout.all();
    writer.join().unwrap();
    assert_eq!(copied.len(), lines.len());
    let differs = copied.iter().zip(&lines).find(|(copied, line)| **copied != line.to_uppercase());
    assert_eq!(differs, None);
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_write_to_stdout_as_without_a_reader_is_epipe() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = uv_run(&["--stdin", "--stdout-as", "out"], UV_RUN_DESCRIPTORS_COPY);
    command.args(["stdin", "out"]).stdin(Stdio::piped()).stdout(writer);
    let mut process = Process::spawn(command);
    process.stdin().write_all(b"hello\n").unwrap();
    assert_eq!(process.exit_code(), 1, "the guest decides what to make of it");
    let stderr = process.stderr.all().join("\n");
    assert!(stderr.contains("EPIPE") && !stderr.contains("uv-run:"), "{stderr}");
}
