//! JavaScript: the tests of tests/javascript inside the sandbox.

// FIFOs, Unix sockets and signals.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use uv_handles_tests::os::make_fifo;
use uv_handles_tests::process::Process;
use uv_handles_tests::script::{JAVASCRIPT, root};

/// Runs a file of tests/javascript with the grants that its tests need. Signals are sent when it
/// asks for them.
fn run_tests(name: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    make_fifo(&dir.path().join("fifo"));
    let fifo = format!("--fifo=pipe={},both", path("fifo"));
    let server = format!("--unix-listen=server={}", path("socket"));
    let client = format!("--unix-connect=client={}", path("socket"));
    let options = [
        "--virtual-time",
        "--env=GREETING=hello",
        "--signal=hup",
        "--wake=poke=usr1",
        "--udp=udp=127.0.0.1:0",
        &fifo,
        &server,
        &client,
    ];
    let mut command = JAVASCRIPT.uv_run_script(&options, &root().join(format!("tests/javascript/{name}.js")));
    command.args(["one", "two"]);
    let mut process = Process::spawn(command);
    let mut failed = Vec::new();
    while let Some(line) = process.stdout.next_line() {
        if let Some(signum) = line.strip_prefix("kill ") {
            process.kill(signum.parse().unwrap());
        } else if !line.starts_with("ok ") {
            failed.push(line);
        }
    }
    let code = process.exit_code();
    assert_eq!(code, 0, "{}\n{}", failed.join("\n"), process.stderr.all().join("\n"));
    assert!(failed.len() == 1 && failed[0].starts_with("all of "), "{failed:?}");
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

files! { test_fetch test_process test_timers test_uv test_web }

#[test]
fn every_file_of_tests_is_run() {
    let entries = fs::read_dir(root().join("tests/javascript")).unwrap();
    let names =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "js"));
    let found: BTreeSet<_> =
        names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(found, FILES.iter().copied().map(str::to_owned).collect());
}

/// The rows of the page's table name tests that exist.
#[test]
fn the_page_names_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/javascript.md")).unwrap();
    let (_, rest) = page.split_once("<!-- A test checks that these tests exist. -->").unwrap();
    let table = rest.trim_start().split("\n\n").next().unwrap();
    let mut rows = 0;
    for row in table.lines().skip(2) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, _, file, name, _] = cells[..] else { panic!("{row}") };
        let file = file.trim_matches('`');
        let (path, declared) = match file {
            file if file.starts_with("javascript/") => (format!("tests/tests/{file}"), format!("fn {name}(")),
            "server/javascript.rs" => (format!("examples/plugin-host/tests/{file}"), format!("fn {name}(")),
            _ => (format!("tests/javascript/{file}"), format!("test(\"{name}\",")),
        };
        let text = fs::read_to_string(root().join(&path)).unwrap_or_else(|_| panic!("{row}: no {path}"));
        assert!(text.contains(&declared), "{row}: {declared} is not in {path}");
        rows += 1;
    }
    assert!(rows > 20, "{rows}");
}
