//! Manifests: each key, and what is wrong in one sentence.

use crate::manifest::Manifest;
use crate::shared::quantities::{Seconds, Size};
use std::time::Duration;
use uv_handles_host::supervisor::{Policy, Restart};

const ALL: &str = r#"
    component = "limiter.wasm"
    [config]
    per-second = 5
    strict = true
    [grants]
    listen = { clients = "127.0.0.1:7000" }
    connect = { db = "localhost:5432" }
    http = ["example.org", "localhost:8080"]
    tcp-connect = ["10.0.0.0/8:80"]
    tcp-listen = ["127.0.0.1:0"]
    udp-send = ["*:53"]
    udp-bind = ["[::1]:0"]
    name-lookup = true
    signals = ["usr1", 12]
    async-handles = ["flush"]
    plugins = { alarms = "tailer" }
    [limits]
    memory = "16M"
    handles = 100
    loops = 1
    descriptors = 20
    mailbox-messages = 5
    mailbox-bytes = 4096
    start = 0.5
    [restart]
    policy = "always"
    initial = 0.25
    max = 30
    reset = 120
"#;

#[test]
fn every_key_is_read() {
    let manifest = Manifest::parse("a.toml", ALL.as_bytes()).unwrap();
    assert_eq!(manifest.component.as_deref(), Some("limiter.wasm"));
    let config: Vec<_> = manifest.config.iter().map(|(key, value)| (&key[..], &value.0[..])).collect();
    assert_eq!(config, [("per-second", "5"), ("strict", "true")]);
    assert_eq!(manifest.grants.listen["clients"].port(), 7000);
    assert_eq!(manifest.grants.http.len(), 2);
    assert!(manifest.grants.name_lookup);
    let signals: Vec<_> = manifest.grants.signals.iter().flat_map(|list| list.0.clone()).collect();
    assert_eq!(signals, [10, 12]);
    assert_eq!(manifest.grants.plugins["alarms"], "tailer");
    assert_eq!(manifest.limits.memory, Some(Size(16 << 20)));
    assert_eq!(manifest.limits.mailbox_bytes, Some(Size(4096)));
    assert_eq!(manifest.limits.handles, Some(100));
    assert_eq!(manifest.limits.start, Some(Seconds(Duration::from_millis(500))));
    let restart = Restart {
        policy: Policy::Always,
        initial: Duration::from_millis(250),
        max: Duration::from_secs(30),
        reset: Duration::from_secs(120),
    };
    assert_eq!(Restart::from(&manifest.restart), restart);
    let empty = Manifest::parse("a.toml", b"").unwrap();
    assert_eq!(empty, Manifest::default());
    assert_eq!(Restart::from(&empty.restart), Restart::default());
}

#[test]
fn what_is_wrong_is_one_sentence_with_file_line_and_key() {
    for (text, expected, key) in [
        ("lisen = 1", "a.toml, line 1: unknown key `lisen`, expected one of `component`, ", ""),
        ("[grants]\nlisten = 5", "a.toml, line 2: invalid type", "listen"),
        ("[grants]\nliste = {}", "a.toml, line 2: unknown key `liste`, expected one of `listen`", ""),
        ("[grants]\nlisten = { a = \"localhost\" }", "a.toml, line 2: invalid socket", "listen"),
        ("[grants]\nhttp = [\"http://a\"]", "a.toml, line 2: \"http://a\" is a URL of http: name", "http"),
        ("[grants]\nudp-send = [\"a\"]", "a.toml, line 2: \"a\" is no ADDRESS[/BITS]:PORT", "udp-send"),
        ("[grants]\nsignals = [\"kill\"]", "a.toml, line 2: the signal kill cannot be watched", "signals"),
        ("[limits]\nmemory = \"1T\"", "a.toml, line 2: \"1T\" is no size in bytes", "memory"),
        ("[limits]\nmemory = -1", "a.toml, line 2: \"-1\" is no size in bytes", "memory"),
        ("[limits]\nhandles = \"many\"", "a.toml, line 2: invalid type", "handles"),
        ("[restart]\npolicy = \"maybe\"", "a.toml, line 2: unknown variant", "policy"),
        ("[restart]\nmax = -1", "a.toml, line 2: \"-1\" is no number of seconds", "max"),
        ("[restart]\nmaxx = 1", "a.toml, line 2: unknown key `maxx`, expected one of `policy`", ""),
        ("[config]\na = [1]", "a.toml, line 2: invalid type: array, expected a text", "a"),
        ("component", "a.toml, line 1: ", ""),
        ("a = 1\na = 1", "a.toml, line 2: duplicate key", "a"),
    ] {
        let error = Manifest::parse("a.toml", text.as_bytes()).unwrap_err();
        assert!(error.starts_with(expected), "{text:?}: {error}");
        assert!(key.is_empty() || error.ends_with(&format!("(the key `{key}`)")), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
    assert_eq!(Manifest::parse("a.toml", b"\xff").unwrap_err(), "a.toml is no UTF-8 text");
}
