//! The directory: pairs of manifests and components, and their changes.

use crate::directory::{Found, scan};
use std::fs;

fn problem(found: &Found) -> &str {
    found.parts.as_ref().unwrap_err()
}

#[test]
fn each_manifest_is_a_plugin_and_what_misses_its_other_half_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let write = |file: &str, content: &str| fs::write(dir.path().join(file), content).unwrap();
    for (file, content) in [
        ("good.toml", ""),
        ("good.wasm", "1"),
        ("twin.toml", "component = 'good.wasm'"),
        ("lonely.wasm", "2"),
        ("empty.toml", ""),
        ("no name.toml", ""),
        (".good.toml.swp", ""),
        (".hidden.toml", ""),
        ("README.md", ""),
    ] {
        write(file, content);
    }
    let found = scan(dir.path()).unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["empty", "good", "lonely", "no name", "twin"]);
    assert_eq!(found["good"].parts.as_ref().unwrap().bytes, b"1");
    assert_eq!(found["twin"].parts.as_ref().unwrap().bytes, b"1");
    assert!(problem(&found["lonely"]).starts_with("lonely.wasm has no manifest"));
    assert!(problem(&found["empty"]).starts_with("empty.wasm cannot be read: No such file"));
    assert!(problem(&found["no name"]).starts_with("no name is no name for a plugin"));

    let again = scan(dir.path()).unwrap();
    let same = |name: &str| again[name].fingerprint == found[name].fingerprint;
    assert!(found.keys().all(|name| same(name)));
    write("good.wasm", "3");
    let changed = scan(dir.path()).unwrap();
    assert_ne!(changed["good"].fingerprint, found["good"].fingerprint);
    assert_ne!(changed["twin"].fingerprint, found["twin"].fingerprint);
    assert_eq!(changed["empty"].fingerprint, found["empty"].fingerprint);
    assert!(scan(&dir.path().join("none")).unwrap_err().contains("cannot be read: No such file"));
}
