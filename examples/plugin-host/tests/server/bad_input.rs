//! Errors of a plugin are reported by name, on the page and in the log, in one sentence. The other
//! plugins keep running.

use crate::harness::{Directory, Server, guest_file, program};
use std::net::TcpListener;

#[test]
fn each_is_told_by_name_and_the_others_run_on() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let directory = Directory::new();
    let never = "[restart]\npolicy = \"never\"\n";
    let flaky = |name: &str, config: &str| {
        directory.plugin(
            name,
            "flaky",
            &format!("{never}[limits]\nstart = 60\nmemory = \"4M\"\n[config]\n{config}"),
        );
    };
    directory.plugin("good", "flaky", "config = { every = 5 }");
    directory.plugin("unknown-key", "flaky", "[grants]\nlisen = {}");
    directory.plugin("taken", "tailer", &format!("{never}[grants]\nlisten = {{ lines = \"{address}\" }}"));
    directory.plugin(
        "unconnected",
        "tailer",
        &format!("{never}[grants]\nplugins = {{ other = \"absent\" }}"),
    );
    let absent = {
        let gone = TcpListener::bind("127.0.0.1:0").unwrap();
        gone.local_addr().unwrap()
    };
    for (name, grants) in [
        ("refused", format!("connect = {{ b = \"{absent}\" }}")),
        ("nowhere", "connect = { b = \"nowhere\" }".into()),
        ("twice", "listen = { a = \"127.0.0.1:0\" }\nconnect = { a = \"x\" }".into()),
        ("unresolved", "tcp-connect = [\"name.invalid:1\"]".into()),
        ("own-stop", "async-handles = [\"stop\"]".into()),
    ] {
        directory.plugin(name, "flaky", &format!("{never}[grants]\n{grants}"));
    }
    directory.plugin("not-granted", "tailer", never);
    directory.plugin("misfit", "plugin-guest", "");
    directory.plugin("program", "first-timer", "");
    directory.plugin("module", "flaky", "");
    directory.file("module.wasm", b"\0asm\x01\0\0\0");
    directory.plugin("text", "flaky", "");
    directory.file("text.wasm", "a shopping list");
    directory.file("missing.toml", "");
    std::fs::copy(guest_file("flaky"), directory.path().join("lonely.wasm")).unwrap();
    flaky("panics", "init = \"panic\"");
    flaky("refuses", "init = \"the disk is on fire\"");
    flaky("marks-up", "init = \"<script>alert(1)</script>\"");
    flaky("talks", &format!("init = \"{}\"", "word ".repeat(200_000)));
    flaky("hungry-at-once", "init = \"memory\"");
    flaky("hungry", "every = 1\nticks = 0\nthen = \"memory\"");
    flaky("panics-later", "every = 1\nticks = 0");
    flaky("exits", "every = 1\nticks = 0\nthen = \"exit\"");
    directory.plugin("slow", "flaky", &format!("{never}[limits]\nstart = 0.2\n[config]\ninit = \"spin\""));

    let server = Server::start(directory).loaded();
    for (name, expected) in [
        ("unknown-key", "unknown-key.toml, line 2: unknown key `lisen`, expected one of `listen`"),
        ("taken", &format!("the grant listen.lines fails: {address}: Address already in use")),
        ("unconnected", "the grant plugins.other fails: there is no plugin absent"),
        ("refused", &format!("the grant connect.b fails: {absent}: ")),
        ("nowhere", "the grant connect.b fails: nowhere: "),
        ("twice", "the grant connect.a fails: listen has the same name"),
        ("unresolved", "the grant tcp-connect name.invalid:1 cannot be resolved"),
        ("own-stop", "the grant async-handles has stop, which"),
        ("not-granted", "its init refused: the socket lines cannot be tailed: "),
        ("misfit", "misfit.wasm does not fit the world plugin-host:plugin: "),
        ("program", "program.wasm does not fit the world plugin-host:plugin: "),
        ("module", "module.wasm cannot be loaded: it is a core module, not a component"),
        ("text", "text.wasm cannot be loaded: it is not WebAssembly"),
        ("missing", "missing.wasm cannot be read: No such file"),
        ("lonely", "lonely.wasm has no manifest: write lonely.toml"),
        ("panics", "it panicked: it was bound to happen ("),
        ("refuses", "its init refused: the disk is on fire"),
        ("talks", "its init refused: word word word"),
        ("hungry-at-once", "it needed more memory than its limit of 4 MiB (limits.memory), in its init"),
        ("hungry", "it needed more memory than its limit of 4 MiB (limits.memory)"),
        ("panics-later", "it panicked: it was bound to happen ("),
        ("exits", "it exited with status "),
        ("slow", "its start took longer than 0.2 s (limits.start)"),
    ] {
        let plugin = server.in_state(name, "failed");
        let reason = plugin["reason"].as_str().unwrap();
        assert!(reason.starts_with(expected), "{name}: {reason}");
        assert!(!reason.contains('\n') && reason.len() < 1_200, "{name}: {} bytes", reason.len());
        server.logged(&format!("ERROR {name}: {reason}"));
        let page = server.get("/").body;
        let (start, _) = expected.split_once(['`', '<']).unwrap_or((expected, ""));
        assert!(page.contains(&format!("<strong>{name}: </strong>{start}")), "{name}: {page}");
    }
    server.logged("not-granted: it asks for the descriptor \"lines\" (grants.listen, grants.connect), which");

    server.in_state("marks-up", "failed");
    let page = server.get("/").body;
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !page.contains("<script>"), "{page}");

    let timers = |server: &Server| server.in_state("good", "running")["timers"].as_u64().unwrap();
    let before = timers(&server);
    server.until("more timers of the good one", |server| (timers(server) > before).then_some(()));
    assert_eq!(server.plugin("good")["restarts"], 0);
    assert_eq!(server.count(" good: it runs"), 1);
}

/// A plugin that computes without end in a callback takes no turn of the others.
#[test]
fn one_that_spins_does_not_hold_up_the_others() {
    let directory = Directory::new();
    for name in ["one", "two", "three"] {
        directory.plugin(name, "flaky", "config = { every = 1, ticks = 0, then = \"spin\" }");
    }
    directory.plugin("good", "flaky", "config = { every = 5 }");
    let server = Server::with(directory, &["--grace=0.1"]).loaded();
    for name in ["one", "two", "three"] {
        server.in_state(name, "running");
    }
    server.until("a hundred timers of the good one", |server| {
        (server.plugin("good")["timers"].as_u64() >= Some(100)).then_some(())
    });
}

#[test]
fn a_directory_or_an_address_that_is_none_is_told() {
    let directory = Directory::new();
    let path = directory.path().to_owned();
    let server = Server::start(directory).loaded();
    std::fs::remove_dir(path).unwrap();
    server.signal("HUP");
    server.logged("cannot be read: No such file");
    assert!(server.get("/").body.contains("cannot be read: No such file"));

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = program().args(["--listen", &address, "."]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(&format!("plugin-host: --listen {address}: Address already in use")), "{said}");
}
