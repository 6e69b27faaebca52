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

/// One plugin, whose manifest changes: its component is compiled once.
#[test]
fn a_plugin_ends_as_its_script_does() {
    let manifest =
        |way: &str| format!("{MEMORY}\nconfig = {{ way = \"{way}\" }}\nrestart = {{ policy = \"never\" }}");
    let directory = Directory::new();
    directory.component("plugin", &plugin_file("plugin"), &manifest("runs"));
    let server = Server::start(directory).loaded();
    server.logged("plugin says: the answer is 42");
    assert_eq!(server.post("/plugins/plugin/message", b"hello").code, 202);
    server.logged("plugin says: length 5");
    for (way, lines) in [
        ("throws", &["its init refused: the disk is on fire"][..]),
        ("rejects", &["plugin says: plugin.js:17", "its init refused: TypeError: "]),
        ("later", &["plugin says: Error: too late", "it exited with status 1"]),
        ("exits", &["it exited with status 0"]),
        ("memory", &["plugin says: InternalError: out of memory", "it exited with status 1"]),
    ] {
        server.directory.file("plugin.toml", manifest(way));
        server.reload();
        for line in lines {
            server.logged(line);
        }
    }
}
