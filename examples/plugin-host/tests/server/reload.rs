//! SIGHUP: changed plugins are restarted, and no others are affected.

use crate::harness::{Directory, Server, guest_file};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

fn runs(server: &Server, name: &str) -> usize {
    server.count(&format!(" {name}: it runs"))
}

#[test]
fn only_what_has_changed_is_started_anew() {
    let directory = Directory::new();
    directory.plugin("same", "flaky", "");
    directory.plugin("changed", "flaky", "");
    directory.plugin("removed", "flaky", "");
    directory.plugin("repaired", "flaky", "nonsense");
    let server = Server::start(directory).loaded();
    for name in ["same", "changed", "removed"] {
        server.in_state(name, "running");
    }
    server.in_state("repaired", "failed");

    server.directory.plugin("changed", "flaky", "limits = { memory = \"5M\" }");
    server.directory.plugin("new", "flaky", "");
    server.directory.plugin("repaired", "flaky", "");
    server.directory.remove("removed.toml");
    server.directory.remove("removed.wasm");
    server.reload();
    for name in ["same", "new", "repaired"] {
        server.in_state(name, "running");
    }
    server.until("the changed one", |server| (runs(server, "changed") == 2).then_some(()));
    assert_eq!(server.in_state("changed", "running")["memory_limit"], 5 << 20);
    assert_eq!(server.get("/plugins/removed").code, 404);
    server.logged("removed: it has stopped");
    assert_eq!((runs(&server, "same"), runs(&server, "new")), (1, 1));

    // Nothing has changed.
    server.reload();
    server.logged("read: 0 new or changed, 4 as they were, 0 gone");
    assert_eq!((runs(&server, "same"), runs(&server, "changed")), (1, 2));
    assert_eq!(server.plugin("same")["restarts"], 0);
}

#[test]
fn a_half_written_version_keeps_the_old_one_running() {
    let directory = Directory::new();
    directory.plugin("kept", "flaky", "config = { every = 5 }");
    let server = Server::start(directory).loaded();
    server.in_state("kept", "running");
    let whole = fs::read(guest_file("flaky")).unwrap();
    let misfit = fs::read(guest_file("plugin-guest")).unwrap();
    let timers = |server: &Server| server.in_state("kept", "running")["timers"].as_u64().unwrap();
    for (content, expected) in [
        (&whole[..whole.len() / 2], "kept.wasm is not a valid WebAssembly component: "),
        (&whole[..6], "kept.wasm is not a valid WebAssembly component: "),
        (&[], "kept.wasm cannot be loaded: it is too short to be WebAssembly"),
        (&misfit[..], "kept.wasm does not fit the world plugin-host:plugin: "),
    ] {
        server.directory.file("kept.wasm", content);
        server.reload();
        let problem = server.until("the problem", |server| {
            let problem = server.plugin("kept")["problem"].as_str().map(str::to_owned);
            problem.filter(|problem| problem.starts_with(expected))
        });
        server.logged(&format!("ERROR kept: {problem}; the version from before goes on"));
        let page = server.get("/").body;
        assert!(page.contains(expected) && page.contains("the version from before goes on"), "{page}");
        let before = timers(&server);
        server.until("more timers", |server| (timers(server) > before).then_some(()));
    }
    server.directory.file("kept.toml", "[config");
    server.reload();
    server.logged("ERROR kept: kept.toml, line 1");
    assert_eq!(runs(&server, "kept"), 1);

    server.directory.plugin("kept", "flaky", "config = { every = 6 }");
    server.reload();
    server.until("the new one", |server| (runs(server, "kept") == 2).then_some(()));
    assert_eq!(server.in_state("kept", "running")["problem"], serde_json::Value::Null);
}

/// The socket stays open across the change, so no client is turned away, and connections stay.
#[test]
fn a_new_version_listens_where_the_old_one_did() {
    let directory = Directory::new();
    let manifest = "[grants]\nlisten = { lines = \"127.0.0.1:0\" }\n";
    directory.plugin("tail", "tailer", manifest);
    let server = Server::start(directory).loaded();
    let address = server.listens("tail", "lines");
    server.directory.plugin("tail", "tailer", &format!("{manifest}[config]\nsummary = 777"));
    server.reload();
    server.until("the new one", |server| (runs(server, "tail") == 2).then_some(()));
    assert_eq!(server.listens("tail", "lines"), address);
    // Its mailbox stays the same for its senders.
    assert_eq!(server.post("/plugins/tail/message", b"still there").code, 202);
    server.logged("tail says: message: still there");
    // The socket is closed with the manifest that has it.
    server.directory.plugin("tail", "flaky", "");
    server.reload();
    server.until("the last one", |server| (runs(server, "tail") == 3).then_some(()));
    assert!(TcpStream::connect(address).is_err());
}

/// The limiter hands its buckets over: a key that has used up its tokens does not get new ones.
#[test]
fn a_new_version_has_the_state_of_the_old_one() {
    let directory = Directory::new();
    let manifest = "[grants]\nlisten = { clients = \"127.0.0.1:0\" }\n[config]\nper-second = 1\n";
    directory.plugin("limiter", "rate-limiter", &format!("{manifest}burst = 1000"));
    let server = Server::start(directory).loaded();
    let ask = |times: usize| -> usize {
        let mut client = TcpStream::connect(server.listens("limiter", "clients")).unwrap();
        client.write_all("alice\n".repeat(times).as_bytes()).unwrap();
        let answers = BufReader::new(client).lines().take(times);
        answers.filter(|answer| answer.as_ref().unwrap() == "ok").count()
    };
    assert!(ask(1_000) >= 999);
    server.directory.plugin("limiter", "rate-limiter", &format!("{manifest}burst = 999"));
    server.reload();
    server.until("the new one", |server| (runs(server, "limiter") == 2).then_some(()));
    // As many as seconds have passed, and not a full bucket.
    assert!(ask(500) < 500);
    assert_eq!(server.plugin("limiter")["restarts"], 0);
}
