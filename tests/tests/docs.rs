//! The programs of docs/guest.md: they are what the page shows, and do what it says.

use std::io::Write;
use std::path::Path;
use uv_handles_tests::*;

foreach_docs!(assert_test_exists);

/// The page has the program of this guest, but for the line that says so.
fn assert_shown(guest: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(root.join(format!("guests/src/bin/{guest}.rs"))).unwrap();
    let (_, program) = source.split_once("\n\n").expect("a comment, then the program");
    let page = std::fs::read_to_string(root.join("../docs/guest.md")).unwrap();
    assert!(page.contains(&format!("```rust\n{program}```\n")), "docs/guest.md shows another {guest}");
}

#[test]
fn the_readme_shows_the_first_timer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let source = std::fs::read_to_string(root.join("examples/first-timer/src/main.rs")).unwrap();
    let program = &source[source.find("use ").unwrap()..];
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains(&format!("```rs\n{program}```\n")), "README.md shows another program");
}

#[test]
fn docs_ticker() {
    assert_shown(DOCS_TICKER);
    let output = run(DOCS_TICKER, |uv| {
        uv.virtual_time(true);
    });
    assert_eq!(output.succeeded(), ["tick 1", "tick 2", "tick 3"]);
}

#[test]
fn docs_count_bytes() {
    assert_shown(DOCS_COUNT_BYTES);
    let (read, mut write) = std::io::pipe().unwrap();
    write.write_all(b"0123456789\n").unwrap();
    drop(write);
    let output = run(DOCS_COUNT_BYTES, |uv| {
        uv.descriptor("stdin", read).unwrap();
    });
    assert_eq!(output.succeeded(), ["11 bytes"]);
}
