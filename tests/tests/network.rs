//! WASI's network on the loop, under uv-run: HTTP, TCP, UDP and names, against real peers on loopback.

use std::io::{Read, Write};
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc;
use std::thread;
use uv_handles_tests::http_server::{endless, server, silence, text};
use uv_handles_tests::os::{accept, listener, refusing_address, reset};
use uv_handles_tests::process::{ended, start};
use uv_handles_tests::*;

foreach_network!(assert_test_exists);

#[test]
fn network_fetch() {
    let address = server(vec![
        text("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"),
        text("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
        text("HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n"),
        // The body of the request has been read.
        Box::new(|mut client, head| {
            assert!(head.starts_with("POST /take HTTP/1.1\r\n") && head.contains("x-test: a\r\n"), "{head}");
            client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\ntaken").unwrap();
            None
        }),
        // Closed half-way through the body.
        text("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf"),
        text("this is not HTTP at all\r\n\r\n"),
        Box::new(|client, _| {
            reset(client);
            None
        }),
        silence(),
        endless(),
        text("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nagain"),
    ]);
    let (_kept, refusing) = refusing_address();
    let base = format!("http://{address}");
    let urls: Vec<String> = vec![
        format!("{base}/"),
        format!("{base}/none"),
        format!("{base}/redirect"),
        format!("POST {base}/take"),
        format!("{base}/half"),
        format!("{base}/garbage"),
        format!("{base}/reset"),
        format!("{base}/slow"),
        format!("{base}/endless"),
        format!("{base}/again"),
        format!("http://{refusing}/"),
        "http://name.invalid/".into(),
        "http://denied.invalid:1/".into(),
        "ftp://a/".into(),
        format!("B(D {base}/"),
    ];
    let args: Vec<&str> = urls.iter().map(String::as_str).collect();
    let (own, other) = (address.to_string(), refusing.to_string());
    let options = ["--http", &own, "--http", &other, "--http", "name.invalid"];
    let mut process = start(&options, NETWORK_FETCH, &args);
    let expected = [
        "200 hello".into(),
        "404".into(),
        "302 /other".into(),
        "200 taken".into(),
        format!("error: {base}/half: "),
        format!("error: {base}/garbage: the server does not speak HTTP"),
        format!("error: {base}/reset: "),
        "ETIMEDOUT: connection timed out".into(),
        format!("error: {base}/endless: the body is too long"),
        "200 again".into(),
        format!("error: http://{refusing}/: connection refused"),
        "error: http://name.invalid/: the name cannot be resolved".into(),
        "error: http://denied.invalid:1/: the host does not grant it".into(),
        "error: ftp://a/: it is no URL of HTTP".into(),
        format!("error: {base}/: the method is not valid"),
    ];
    for expected in expected {
        let line = process.stdout.next_line().expect("there is a line for each URL");
        assert!(line.starts_with(&expected), "{line}, not {expected}");
    }
    process.stderr.find(|line| line.contains("--http denied.invalid:1 would grant it").then_some(()));
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn network_cancelled() {
    let (listener, address) = listener();
    let (send, gone) = mpsc::channel();
    thread::spawn(move || {
        for _ in 0..70 {
            let mut client = accept(&listener);
            let send = send.clone();
            thread::spawn(move || {
                let mut all = Vec::new();
                // The end or a reset: the client has closed the connection.
                let _ = client.read_to_end(&mut all);
                send.send(()).unwrap();
            });
        }
    });
    let own = address.to_string();
    let mut process =
        start(&["--http", &own, "--max-handles", "100"], NETWORK_CANCELLED, &[&format!("http://{own}/")]);
    assert_eq!(process.stdout.next_line().as_deref(), Some("sent"));
    assert_eq!(process.stdout.next_line().as_deref(), Some("cancelled"));
    assert_eq!(process.exit_code(), 0);
    drop(gone);
}

#[test]
fn network_names() {
    let granted =
        ended(&["--name-lookup"], NETWORK_NAMES, &["localhost", "127.0.0.1", "name.invalid", "a b"]);
    granted.printed(&["localhost: true", "127.0.0.1: true", "name.invalid: EAI_NONAME", "a b: EINVAL"]);
    let denied = ended(&[], NETWORK_NAMES, &["localhost"]);
    assert_eq!(denied.stdout, ["localhost: EAI_FAIL"]);
    assert!(denied.stderr[0].ends_with("--name-lookup would grant it"), "{denied:?}");
}

#[test]
fn network_tcp() {
    let (echo, address) = listener();
    let (_kept, refusing) = refusing_address();
    let (silent, silent_address) = listener();
    thread::spawn(move || {
        let mut client = accept(&echo);
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        client.write_all(text.to_uppercase().as_bytes()).unwrap();
        drop(client);
        reset(accept(&echo));
    });
    let args = [address, address, refusing, silent_address, "127.0.0.2:1".parse().unwrap()];
    let args: Vec<String> = args.iter().map(SocketAddr::to_string).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let options = ["--tcp-listen", "127.0.0.1:0", "--tcp-connect", "127.0.0.1:*"];
    let mut process = start(&options, NETWORK_TCP, &args);
    let lines = process.stdout.all();
    assert_eq!(lines[..3], ["3000000 bytes", "ECONNREFUSED", "HELLO"]);
    assert!(["ECONNRESET", "EPIPE", "ENOTCONN"].contains(&&lines[3][..]), "{lines:?}");
    assert_eq!(lines[4..], ["ECONNREFUSED", "ETIMEDOUT", "EACCES"]);
    process.stderr.find(|line| line.contains("--tcp-connect 127.0.0.2:1 would grant it").then_some(()));
    assert_eq!(process.exit_code(), 0);
    drop(silent);

    let denied = ended(&[], NETWORK_TCP, &[]);
    assert!(denied.stderr[0].ends_with("--tcp-listen 127.0.0.1:0 would grant it"), "{denied:?}");
}

#[test]
fn network_udp() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = peer.local_addr().unwrap();
    let answers = thread::spawn(move || {
        let mut buffer = [0; 100];
        let (length, sender) = peer.recv_from(&mut buffer).unwrap();
        peer.send_to(String::from_utf8_lossy(&buffer[..length]).to_uppercase().as_bytes(), sender).unwrap();
    });
    let args = [&address.to_string()[..], "127.0.0.2:1"];
    let options = ["--udp-bind", "127.0.0.1:0", "--udp-send", "127.0.0.1:*"];
    let ended = ended(&options, NETWORK_UDP, &args);
    assert_eq!((ended.code, &ended.stdout[..]), (0, &["PING".to_owned(), "EACCES".into()][..]), "{ended:?}");
    assert!(ended.stderr[0].ends_with("--udp-send 127.0.0.2:1 would grant it"), "{ended:?}");
    answers.join().unwrap();
}
