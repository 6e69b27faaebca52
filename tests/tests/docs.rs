//! Tests of the pages: the programs of docs/guest.md match the page and do what it says; the tests
//! that docs/conformance.md and docs/security.md name exist.

// A pipe is granted.
#![cfg(unix)]

use std::io::Write;
use std::path::Path;
use uv_handles_tests::*;

foreach_docs!(assert_test_exists);

/// The page has the program of this guest, but for the line that says so.
fn assert_shown(guest: Case) {
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

/// The names of the tests in a suite, or in a file by its path.
fn tests_of(place: &str) -> Vec<String> {
    let file = if place.ends_with(".rs") { place.into() } else { format!("tests/tests/{place}.rs") };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&file);
    let source = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"));
    let source = source.replace("#[tokio::test]\nasync fn", "#[test]\nfn");
    let tests = source.split("#[test]\n").skip(1);
    let written = tests.filter_map(|test| {
        // Other attributes may follow.
        let signature = test.lines().map(str::trim_start).find(|line| !line.starts_with("#["))?;
        Some(signature.strip_prefix("fn ")?.split('(').next()?.to_owned())
    });
    let lists = source.split("generate_tests! { ").skip(1);
    let lists = lists.filter_map(|list| Some(list.split_once('}')?.0.split_once(':')?.1));
    let generated = lists.flat_map(|list| list.split(',').map(|test| test.trim().to_owned()));
    written.chain(generated.filter(|test| !test.is_empty())).collect()
}

#[test]
fn the_page_on_conformance_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/conformance.md")).unwrap();
    let (_, section) = page.split_once("\n## libuv's own tests\n").expect("the section");
    let named: Vec<(&str, &str)> =
        section.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
    for (suite, test) in &named {
        assert!(tests_of(suite).iter().any(|known| known == test), "there is no {suite}::{test}");
    }

    // Every row of the tables that map tests says by which, or why not; no test of libuv has two
    // rows.
    let (tables, _) = section.split_once("\n### Tests that do not apply\n").expect("the rest");
    let rows: Vec<(&str, &str)> = tables
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "))
        .filter(|(theirs, _)| *theirs != "---" && *theirs != "libuv's test")
        .collect();
    for (theirs, ours) in &rows {
        let reason = ours.strip_prefix("not applicable, because ").is_some_and(|reason| !reason.is_empty());
        assert!(reason || ours.starts_with('`') && ours.contains("::"), "{theirs}: {ours}");
    }
    let mut theirs: Vec<&str> = rows.iter().flat_map(|(theirs, _)| theirs.split(", ")).collect();
    let count = theirs.len();
    theirs.sort_unstable();
    theirs.dedup();
    assert_eq!(theirs.len(), count);
    assert!(count > 70 && named.len() > 60, "{count} tests of libuv, {} of ours", named.len());
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
fn docs_await() {
    assert_shown(DOCS_AWAIT);
    let output = run(DOCS_AWAIT, |uv| {
        uv.virtual_time(true);
    });
    assert_eq!(output.succeeded(), ["no answer in time", "tick 1", "tick 2", "tick 3", "done"]);
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

/// A page names its tests `suite::test`, or `path/file.rs::test`. Each of them is there, and each
/// test of the hostile suites is named.
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
        assert!(tests_of(place).iter().any(|known| known == test), "there is no test {test} in {place}");
        count += 1;
    }
    assert!(count > 0, "the page names tests");
    for suite in ["hostile", "hostile_random", "hostile_leaks"] {
        for test in tests_of(suite) {
            let name = format!("`{suite}::{test}`");
            assert!(page.contains(&name), "docs/security.md does not name {name}");
        }
    }
}

/// Calls the function with each Rust file of a directory and of those in it.
fn each_source(dir: &Path, look: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_source(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&path);
        }
    }
}

/// Whether code uses `unsafe`, outside of comments and of the unit tests at its end.
fn uses_unsafe(source: &str) -> bool {
    let (code, _) = source.split_once("#[cfg(test)]\nmod tests {").unwrap_or((source, ""));
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    let mut words = lines.flat_map(|line| line.split(|c: char| !(c.is_alphanumeric() || c == '_')));
    words.any(|word| word == "unsafe")
}

#[test]
fn security_md_lists_all_unsafe_code_of_the_host() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let (_, section) = page.split_once("\n## Unsafe code\n").expect("the section");
    let mut listed: Vec<String> = section
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
        .collect();
    let mut found = Vec::new();
    each_source(&root.join("host"), &mut |path| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let is_source = name.contains("/src/") && !name.contains("/target/");
        // Modules for tests only.
        if is_source
            && !name.ends_with("/test_terminal.rs")
            && !name.ends_with("/test_child.rs")
            && uses_unsafe(&std::fs::read_to_string(path).unwrap())
        {
            found.push(name);
        }
    });
    listed.sort();
    found.sort();
    assert_eq!(found, listed);
    assert!(uses_unsafe("let x = unsafe { y };") && !uses_unsafe("// unsafe\n#[expect(unsafe_code)]"));
}
