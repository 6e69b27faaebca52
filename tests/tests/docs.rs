//! The pages in docs: the programs of guest.md are what it shows, and do what it says; the tests that
//! security.md names exist.

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

/// A page names its tests `suite::test`, or `path/file.rs::test`. Each of them is there, and each test of the
/// hostile suites is named.
#[test]
fn the_tests_that_security_md_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let named: Vec<(&str, &str)> =
        page.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
    // Names of Rust's, such as `Store::limiter`, begin with a capital.
    let named = named.into_iter().filter(|(place, _)| place.starts_with(|first: char| first.is_lowercase()));
    let mut count = 0;
    for (place, test) in named {
        let file = if place.ends_with(".rs") { place.into() } else { format!("tests/tests/{place}.rs") };
        let source =
            std::fs::read_to_string(root.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(tests_of(&source).any(|name| name == test), "there is no test {test} in {file}");
        count += 1;
    }
    assert!(count > 0, "the page names tests");
    for suite in ["hostile", "hostile_random", "hostile_leaks"] {
        let source = std::fs::read_to_string(root.join(format!("tests/tests/{suite}.rs"))).unwrap();
        for test in tests_of(&source) {
            assert!(
                page.contains(&format!("`{suite}::{test}`")),
                "docs/security.md does not name {suite}::{test}"
            );
        }
    }
}

/// The names of the tests in a file.
fn tests_of(source: &str) -> impl Iterator<Item = &str> {
    source
        .split("#[test]\n")
        .skip(1)
        .filter_map(|test| test.trim_start().strip_prefix("fn ")?.split('(').next())
}
