//! Plugins in JavaScript, which `cargo xtask javascript --plugin` has built.

use crate::harness::{Directory, Server};
use std::path::{Path, PathBuf};

/// Large enough for the JavaScript runtime.
const MEMORY: &str = "limits = { memory = \"16M\" }";

fn plugin_file(name: &str) -> PathBuf {
    let dir = std::env::var_os("UV_HANDLES_JAVASCRIPT_PLUGINS");
    let dir = dir.expect("UV_HANDLES_JAVASCRIPT_PLUGINS says where the plugins are");
    Path::new(&dir).join(format!("{name}.wasm"))
}

/// The example of docs/javascript.md.
#[test]
fn the_example_counts_words() {
    let directory = Directory::new();
    for (name, config) in [("words", "{ every = 10, most = 2 }"), ("refused", "{ every = \"soon\" }")] {
        directory.component(name, &plugin_file("words"), &format!("{MEMORY}\nconfig = {config}"));
    }
    let mut server = Server::with(directory, &["--grace=120"]).loaded();
    server.in_state("words", "running");
    let answer = server.post("/plugins/words/message", b"one two two, three three three");
    assert_eq!(answer.code, 202, "{answer:?}");
    server.logged("words says: three: 3, two: 2");
    server.logged("its init refused: the configuration needs a number for every instead of soon");
    server.signal("TERM");
    assert_eq!(server.exit_code(), 0);
    server.logged("words: it has stopped");
}

#[test]
fn a_plugin_ends_as_its_script_does() {
    let directory = Directory::new();
    let ways = ["runs", "throws", "rejects", "later", "exits", "memory"];
    for way in ways {
        let manifest =
            format!("{MEMORY}\nconfig = {{ way = \"{way}\" }}\nrestart = {{ policy = \"never\" }}");
        directory.component(way, &plugin_file("plugin"), &manifest);
    }
    let server = Server::start(directory).loaded();
    for (name, text) in [
        ("runs", "runs says: the answer is 42"),
        ("throws", "its init refused: the disk is on fire"),
        ("rejects", "its init refused: TypeError: "),
        ("rejects", "rejects says: plugin.js:17"),
        ("later", "later says: Error: too late"),
        ("later", "later: it exited with status 1"),
        ("exits", "exits: it exited with status 0"),
        ("memory", "memory: it needed more memory than its limit of 16 MiB (limits.memory)"),
    ] {
        let line = server.logged(text);
        assert!(line.contains(name), "{line}");
    }
    assert_eq!(server.post("/plugins/runs/message", b"hello").code, 202);
    server.logged("runs says: length 5");
}
