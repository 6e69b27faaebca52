//! Clients that the server has to keep out, or that it has to be quick to refuse: other sites'
//! pages, and senders of bodies that are not wanted.

use crate::harness::{Directory, Server};

#[test]
fn pages_of_other_sites_send_and_read_nothing() {
    let directory = Directory::new();
    directory.plugin("chatty", "flaky", "grants = { async-handles = [\"flush\"] }");
    let server = Server::with(directory, &["--host", "plugins.example"]).loaded();
    server.in_state("chatty", "running");
    let own = server.address().to_string();
    let (message, handle) = ("/plugins/chatty/message", "/plugins/chatty/async-handles/flush");
    for (headers, code) in [
        (format!("Host: {own}\r\nOrigin: http://evil.example\r\n"), 403),
        (format!("Host: {own}\r\nOrigin: null\r\n"), 403),
        (format!("Host: {own}\r\nSec-Fetch-Site: cross-site\r\n"), 403),
        ("Host: evil.example\r\nOrigin: http://evil.example\r\n".into(), 421),
        ("Host: evil.example\r\n".into(), 421),
        (String::new(), 400),
    ] {
        for path in [message, handle] {
            let answer = server.exchange("POST", path, &headers, b"evil", 4);
            assert_eq!(answer.code, code, "{headers}: {answer:?}");
        }
    }
    for path in ["/", "/plugins", "/metrics"] {
        let answer = server.exchange("GET", path, "Host: evil.example\r\n", b"", 0);
        assert_eq!(answer.code, 421, "{answer:?}");
        let answer = server.get(path);
        assert_eq!(answer.code, 200, "{answer:?}");
        assert!(answer.head.contains("cross-origin-resource-policy: same-origin"), "{answer:?}");
        assert!(answer.head.contains("x-content-type-options: nosniff"), "{answer:?}");
    }
    for headers in [
        format!("Host: {own}\r\nOrigin: http://{own}\r\n"),
        format!("Host: {own}\r\nOrigin: http://{own}\r\nSec-Fetch-Site: same-origin\r\n"),
        "Host: localhost\r\nOrigin: http://localhost\r\n".into(),
        "Host: plugins.example\r\n".into(),
    ] {
        let answer = server.exchange("POST", message, &headers, b"good", 4);
        assert_eq!(answer.code, 202, "{headers}: {answer:?}");
    }
    assert_eq!(server.plugin("chatty")["messages"]["accepted"], 4);
}

/// Requests are answered before any of their body has come.
#[test]
fn a_body_that_is_not_wanted_is_not_waited_for() {
    let directory = Directory::new();
    let limits = "limits = { mailbox-bytes = \"1K\" }";
    directory.plugin("small", "flaky", limits);
    directory.plugin("deaf", "flaky", "config = { mailbox = \"none\" }");
    let server = Server::start(directory).loaded();
    server.in_state("small", "running");
    server.in_state("deaf", "running");
    let host = format!("Host: {}\r\n", server.address());
    for (name, length, code) in
        [("absent", 10, 404), ("deaf", 10, 409), ("small", 1025, 413), ("small", 1 << 40, 413)]
    {
        let answer = server.exchange("POST", &format!("/plugins/{name}/message"), &host, b"", length);
        assert_eq!(answer.code, code, "{answer:?}");
    }
    // Neither is one without a declared length read beyond the limit.
    let chunked = format!("{host}Transfer-Encoding: chunked\r\n");
    let part = format!("400\r\n{}\r\n", "a".repeat(0x400)).repeat(2);
    let answer = server.raw("POST", "/plugins/small/message", &chunked, part.as_bytes());
    assert_eq!(answer.code, 413, "{answer:?}");
    assert_eq!(server.plugin("small")["messages"]["refused"], 3);
}

#[test]
fn a_body_that_ends_too_early_is_no_message() {
    let directory = Directory::new();
    directory.plugin("chatty", "flaky", "");
    let server = Server::start(directory).loaded();
    server.in_state("chatty", "running");
    let answer = server.half_closed("POST", "/plugins/chatty/message", b"half", 8);
    assert_eq!(answer.code, 400, "{answer:?}");
    let answer = server.half_closed("POST", "/plugins/chatty/message", b"all of it", 9);
    assert_eq!(answer.code, 202, "{answer:?}");
    server.logged("chatty says: message: all of it");
    assert_eq!(server.plugin("chatty")["messages"]["accepted"], 1);
}
