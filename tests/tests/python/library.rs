//! Python: the tests of tests/python inside the sandbox, and the examples of docs/python.md.

// FIFOs, Unix sockets and signals.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use uv_handles_tests::http_server::{server, text};
use uv_handles_tests::os::make_fifo;
use uv_handles_tests::process::Process;
use uv_handles_tests::script::{Ended, PYTHON, root};

/// The page's text.
fn page() -> String {
    fs::read_to_string(root().join("docs/python.md")).unwrap()
}

/// The text that follows a marker on the page, up to an empty line.
fn behind(page: &str, marker: &str) -> String {
    let (_, rest) = page.split_once(marker).unwrap_or_else(|| panic!("docs/python.md has no {marker}"));
    rest.trim_start().split("\n\n").next().unwrap().to_owned()
}

/// The modules that the page calls absent.
fn documented_as_absent() -> String {
    let list = behind(&page(), "<!-- A test compares this list with the runtime's. -->");
    list.trim_start_matches("```text")
        .trim_end()
        .trim_end_matches("```")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs a file of tests/python with the grants that its tests need: both ends of a FIFO, a
/// connected pair of Unix sockets, two UDP sockets, a signal, and an async handle on another.
/// Signals are sent when it asks for them.
fn run_tests(name: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    make_fifo(&dir.path().join("fifo"));
    let (fifo, server, client) = (
        format!("--fifo=pipe={},both", path("fifo")),
        format!("--unix-listen=server={}", path("socket")),
        format!("--unix-connect=client={}", path("socket")),
    );
    let absent = format!("--env=DOCUMENTED_AS_ABSENT={}", documented_as_absent());
    let options = [
        "--virtual-time",
        "--signal=hup",
        "--wake=poke=usr1",
        "--max-handles=2000",
        "--udp=udp=127.0.0.1:0",
        "--udp=udp6=[::1]:0",
        &fifo,
        &server,
        &client,
        &absent,
    ];
    let mut process =
        Process::spawn(PYTHON.uv_run_script(&options, &root().join(format!("tests/python/{name}.py"))));
    while let Some(line) = process.stdout.next_line() {
        if let Some(signum) = line.strip_prefix("kill ") {
            process.kill(signum.parse().unwrap());
        }
    }
    let code = process.exit_code();
    let stderr = process.stderr.all().join("\n");
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.trim_end().ends_with("\nOK"), "{stderr}");
    assert!(!stderr.contains("skipped"), "{stderr}");
    process.stdout.all()
}

/// Makes a test of each file, and a list of them.
macro_rules! files {
    ($($name:ident)*) => {
        const FILES: &[&str] = &[$(stringify!($name)),*];
        $(#[test]
        fn $name() {
            run_tests(stringify!($name));
        })*
    };
}

files! {
    test_async test_asyncio test_asyncio_io test_collection test_descriptor test_error test_handle test_loop test_poll test_signal
    test_timer test_watcher
}

/// A test of its own, because the output that differs from run to run is compared too.
#[test]
fn test_library() {
    let random = || run_tests("test_library").into_iter().find(|line| line.starts_with("random ")).unwrap();
    assert_ne!(random(), random(), "the snapshot's seed would be everybody's");
}

#[test]
fn every_file_of_tests_is_run() {
    let entries = fs::read_dir(root().join("tests/python")).unwrap();
    let names =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "py"));
    let found: BTreeSet<_> =
        names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    // The differential test runs the interpreter.
    let others = ["test_library", "support", "conformance_interpreter"];
    let run = FILES.iter().copied().chain(others).map(str::to_owned).collect();
    assert_eq!(found, run);
}

#[test]
fn the_page_names_a_test_for_every_entry_of_the_reference() {
    let index = fs::read_to_string(root().join("tests/python/reference-index.txt")).unwrap();
    let page = page();
    let table = behind(&page, "<!-- A test checks that the table is complete and that the tests exist. -->");
    let mut entries = Vec::new();
    for row in table.lines().skip(2) {
        let cells: Vec<_> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, entry, test, _] = cells[..] else { panic!("{row}") };
        let [file, class, name] = test.split('.').collect::<Vec<_>>()[..] else { panic!("{row}") };
        assert!(FILES.contains(&file), "{row}");
        let source = fs::read_to_string(root().join(format!("tests/python/{file}.py"))).unwrap();
        let (_, members) = source.split_once(&format!("\nclass {class}(")).unwrap_or_else(|| panic!("{row}"));
        let members = members.split("\nclass ").next().unwrap();
        // A test of several kinds takes the kind too.
        assert!(members.contains(&format!("\n    def {name}(self")), "{row}");
        entries.push(entry);
    }
    assert_eq!(entries, index.lines().collect::<Vec<_>>());
    assert_eq!(entries.len(), 65);
}

#[test]
fn the_page_shows_the_first_timer() {
    let source = fs::read_to_string(root().join("examples/python/first_timer.py")).unwrap();
    let program = &source[source.find("import uv").unwrap()..];
    assert!(page().contains(&format!("```python\n{program}```\n")), "docs/python.md shows another");
}

#[test]
fn the_pages_requests_are_sent() {
    let page = page();
    let (_, program) = page.split_once("<!-- The tests run this program. -->\n```python\n").unwrap();
    let (program, _) = program.split_once("```").unwrap();
    let address = server(vec![
        text("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n[1,2]"),
        text("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"),
    ]);
    let (_dir, script) = PYTHON.script(program);
    let mut command = PYTHON.uv_run_script(&[&format!("--http={address}")], &script);
    command.arg(format!("http://{address}/"));
    Ended::of(command).printed(&["200 application/json", "[1, 2]", "5 bytes"]);
}

#[test]
fn the_pages_coroutines_greet() {
    let page = page();
    let (_, rest) = page.split_once("## asyncio").unwrap();
    let (_, program) = rest.split_once("```python\n").unwrap();
    let program = program.split("```").next().unwrap();
    PYTHON.run(&["--virtual-time"], program).printed(&[
        "hello fast",
        "hello fast",
        "hello slow",
        "hello fast",
        "hello slow",
        "hello slow",
    ]);
}
