//! Messages from outside and from plugin to plugin.

use crate::harness::{Directory, Server};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

#[test]
fn a_message_reaches_its_plugin_and_nothing_is_lost() {
    let directory = Directory::new();
    directory.plugin("chatty", "flaky", "");
    let server = Server::start(directory).loaded();
    server.in_state("chatty", "running");
    for n in 0..50 {
        let answer = server.post("/plugins/chatty/message", format!("number {n}").as_bytes());
        assert_eq!(answer.code, 202, "{answer:?}");
    }
    for n in 0..50 {
        server.logged(&format!("chatty says: message: number {n}"));
    }
    // A message that is not text is shown without control characters.
    assert_eq!(server.post("/plugins/chatty/message", b"\x1b[2J\xff").code, 202);
    server.logged("chatty says: message: \\u{1b}[2J\u{fffd}");
    assert_eq!(server.post("/plugins/chatty/message", b"").code, 202);
    server.until("the count", |server| (server.plugin("chatty")["messages"]["accepted"] == 52).then_some(()));
}

#[test]
fn a_message_that_can_not_be_taken_is_answered_with_the_reason() {
    let directory = Directory::new();
    let limits = "[limits]\nmailbox-messages = 3\nmailbox-bytes = \"1K\"\n";
    directory.plugin("full", "flaky", &format!("{limits}[config]\nmailbox = \"unread\""));
    directory.plugin("deaf", "flaky", "[grants]\nasync-handles = [\"flush\"]\n[config]\nmailbox = \"none\"");
    let dead = "config = { init = \"no\" }\nrestart = { policy = \"never\" }";
    directory.plugin("dead", "flaky", dead);
    let waits = "config = { init = \"no\" }\nrestart = { initial = 3600, max = 3600 }";
    directory.plugin("waits", "flaky", waits);
    let parked = "config = { every = 1, ticks = 0, then = \"park\" }";
    directory.plugin("parked", "flaky", parked);
    let server = Server::start(directory).loaded();
    for (name, state) in [
        ("full", "running"),
        ("deaf", "running"),
        ("dead", "failed"),
        ("waits", "backing-off"),
        ("parked", "parked"),
    ] {
        server.in_state(name, state);
    }
    let sent = |name: &str, body: &[u8]| server.post(&format!("/plugins/{name}/message"), body);
    for _ in 0..3 {
        assert_eq!(sent("full", b"unread").code, 202);
    }
    for (answer, code, sentence) in [
        (sent("full", b"more"), 429, "the mailbox of full is full"),
        (sent("full", &[b'a'; 1025]), 413, "the message is larger than the mailbox of full"),
        (sent("deaf", b"hello"), 409, "deaf has no mailbox open"),
        (sent("dead", b"hello"), 409, "dead has failed, and does not run"),
        (sent("waits", b"hello"), 503, "waits has ended, and will be started again"),
        (sent("parked", b"hello"), 409, "parked is parked: nothing would read it"),
        (sent("absent", b"hello"), 404, "there is no plugin absent"),
        (sent("%3Cb%3E%0A", b"hello"), 404, "there is no plugin <b>\\n"),
        (server.post("/plugins/deaf/async-handles/flush", b""), 409, "deaf has no flush open"),
        (
            server.post("/plugins/deaf/async-handles/other", b""),
            404,
            "the manifest of deaf grants no async handle",
        ),
        (server.get("/plugins/absent"), 404, "there is no plugin absent"),
        (server.get("/nothing"), 404, "there is no such page"),
    ] {
        assert_eq!(answer.code, code, "{answer:?}");
        assert!(answer.body.starts_with(sentence), "{answer:?}");
        assert_eq!(answer.head.contains("retry-after: "), matches!(code, 429 | 503), "{answer:?}");
        assert!(answer.head.contains("content-type: text/plain"), "{answer:?}");
    }
    assert_eq!(server.get("/plugins/full/message").code, 405);
}

/// The rate limiter answers its clients, and sends the names of clients that are too fast to the
/// tailer.
#[test]
fn plugins_that_are_connected_hear_of_each_other() {
    let directory = Directory::new();
    let limiter = "[grants]\nlisten = { clients = \"127.0.0.1:0\" }\nplugins = { alarms = \"tail\" }\n\
                   [config]\nburst = 2\nper-second = 1";
    directory.plugin("limiter", "rate-limiter", limiter);
    // Later in the alphabet: it starts when it likes.
    directory.plugin("tail", "tailer", "grants = { listen = { lines = \"127.0.0.1:0\" } }");
    let server = Server::start(directory).loaded();
    server.in_state("tail", "running");
    let mut client = TcpStream::connect(server.listens("limiter", "clients")).unwrap();
    let mut answers = BufReader::new(client.try_clone().unwrap()).lines();
    client.write_all(b"alice\nalice\nalice\nbob\n").unwrap();
    let mut answer = || answers.next().unwrap().unwrap();
    assert_eq!([answer(), answer()], ["ok", "ok"]);
    let wait = answer();
    assert!(wait.starts_with("wait "), "{wait}");
    assert_eq!(answer(), "ok");
    server.logged("tail says: message: alice is too fast");

    // A client that asks again when it is told to is served.
    server.until("a token", |_| {
        client.write_all(b"alice\n").unwrap();
        (answer() == "ok").then_some(())
    });
    assert_eq!(server.post("/plugins/limiter/message", b"burst 1000").code, 202);
    server.logged("limiter says: from now on burst 1000");
    client.write_all("carol\n".repeat(100).as_bytes()).unwrap();
    assert!((0..100).all(|_| answer() == "ok"));

    // The tailer shows the lines of every client.
    let mut source = TcpStream::connect(server.listens("tail", "lines")).unwrap();
    source.write_all(b"half a ").unwrap();
    source.write_all(b"line\nand the last").unwrap();
    drop(source);
    server.logged("tail says: half a line");
    server.logged("tail says: and the last");
}
