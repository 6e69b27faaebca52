//! Scripts in JavaScript that are wrong, or ask for what is not granted: what uv-run and QuickJS say.

// FIFOs, Unix sockets and signals.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Stdio;
use uv_handles_tests::script::{Ended, JAVASCRIPT};

/// Runs a text that fails. Its standard error has all of these.
#[track_caller]
fn fails(options: &[&str], text: &str, code: i32, expected: &[&str]) {
    let ended = JAVASCRIPT.run(options, text);
    let stderr = ended.stderr.join("\n");
    assert_eq!(ended.code, code, "{text}: {ended:?}");
    for words in expected {
        assert!(stderr.contains(words), "{text}: {words} is not in {stderr}");
    }
}

#[test]
fn errors_show_where_they_were_thrown() {
    let place = |line: u32, column: u32| format!("script.js:{line}:{column}");
    let (second, first) = (place(2, 13), place(1, 9));
    fails(
        &[],
        "function f() {\n  throw new TypeError('bad');\n}\nf();",
        1,
        &["  throw new TypeError('bad');\n            ^\n", "TypeError: bad\n    at f (", &second],
    );
    fails(&[], "let x = ;", 1, &["let x = ;\n", "SyntaxError: ", &first]);
    fails(
        &[],
        "setTimeout(() => nothing(), 1)",
        1,
        &["ReferenceError: nothing is not defined", "script.js:1"],
    );
    fails(&[], "throw null", 1, &["Uncaught:\nnull"]);
    fails(&[], "Promise.reject(new Error('rejected'))", 1, &["Error: rejected", "script.js:1:"]);
    fails(&[], "Promise.reject(3)", 1, &["ERR_UNHANDLED_REJECTION", "with the reason \"3\""]);
    fails(&[], "import './missing.js'", 1, &["Cannot find module", "missing.js"]);
    fails(&[], "import 'left-pad'", 1, &["Cannot find package 'left-pad' imported from"]);
    fails(&[], "import { nothing } from 'uv'", 1, &["SyntaxError: ", "nothing"]);
}

#[test]
fn exit_codes_are_those_of_node() {
    for (text, code, printed) in [
        ("console.log('end')", 0, "end"),
        ("process.on('exit', (code) => console.log('exit', code)); process.exit(5)", 5, "exit 5"),
        (
            "setTimeout(() => { try { process.exit(3) } finally { console.log('never') } }); console.log('a')",
            3,
            "a",
        ),
        ("process.exitCode = 7; console.log('a')", 7, "a"),
        ("process.exitCode = 256 + 7; console.log('a')", 7, "a"),
        ("console.log('a'); await new Promise(() => {})", 13, "a"),
        ("process.on('exit', (code) => console.log(code)); await new Promise(() => {})", 13, "13"),
        ("process.once('uncaughtException', (e) => console.log(e.message)); throw new Error('a')", 0, "a"),
        ("process.on('exit', (code) => console.log(code)); throw 1", 1, "1"),
        ("process.on('uncaughtException', () => { throw 2 }); console.log('a'); throw 1", 7, "a"),
        ("async function f() { process.exit(4) } console.log('a'); await f(); console.log('b')", 4, "a"),
        (
            "let n = 0; process.on('beforeExit', () => { if (n++ < 2) setTimeout(() => console.log(n)) })",
            0,
            "1,2",
        ),
        ("console.log('a'); process.exit(); console.log('b')", 0, "a"),
    ] {
        let ended = JAVASCRIPT.run(&[], text);
        assert_eq!((ended.code, ended.stdout.join(",").as_str()), (code, printed), "{text}: {ended:?}");
    }
}

#[test]
fn errors_of_imports_name_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("other.js", "export const there = 1;");
    write(
        "between.js",
        "import { there } from './other.js';\nexport {\n  gone as there,\n} from './other.js';\n",
    );
    for (text, expected) in [
        (
            "\nimport { there, nope } from './other.js';",
            &["script.mjs:2\nimport", "'nope'", "script.mjs:2:17"][..],
        ),
        ("import './between.js'", &["'gone'", "between.js:3:3"]),
        (
            "import net from 'node:net'",
            &["built-in module: node:net imported from", "script.mjs: sockets are"],
        ),
        ("import fs from 'fs'", &["Cannot find package 'fs' imported from", "the sandbox has no such thing"]),
    ] {
        write("script.mjs", text);
        let ended = Ended::of(JAVASCRIPT.uv_run_script(&[], &dir.path().join("script.mjs")));
        let stderr = ended.stderr.join("\n");
        assert_eq!(ended.code, 1, "{stderr}");
        for words in expected {
            assert!(stderr.contains(words), "{words}: {stderr}");
        }
    }
}

#[test]
fn errors_name_what_was_not_granted() {
    for (text, expected) in [
        (
            "new uv.Async({ name: 'reload' })",
            "ENOENT: the async handle \"reload\" was not granted (uv-run --wake reload)",
        ),
        (
            "new uv.Signal().start('SIGTERM')",
            "EACCES: the signal SIGTERM was not granted (uv-run --signal term)",
        ),
        ("process.on('SIGINT', () => {})", "EACCES: the signal SIGINT was not granted (uv-run --signal int)"),
        ("uv.open('stdin')", "ENOENT: the descriptor \"stdin\" was not granted (uv-run --stdin)"),
    ] {
        fails(&[], &format!("import uv from 'uv';\n{text}"), 1, &[expected]);
    }
    // The descriptor is granted, and the file of the socket is missing.
    let missing = ["--unix-connect=peer=/missing/socket"];
    fails(&missing, "import uv from 'uv';\nuv.open('peer')", 1, &["ENOENT: no such file or directory"]);
}

/// As in Node.
#[test]
fn a_failed_write_to_standard_output_is_an_error_with_its_reason() {
    let text = "
try {
  process.stdout.write('lost');
} catch (error) {
  console.error(error.message, error.code, error.errno, error.syscall);
}
console.log('lost');
";
    let (_dir, script) = JAVASCRIPT.script(text);
    for (redirection, expected) in [
        (">/dev/full", "ENOSPC: no space left on device, write ENOSPC -28 write"),
        (">&-", "EBADF: bad file descriptor, write EBADF -9 write"),
    ] {
        let command = JAVASCRIPT.uv_run_script(&[], &script);
        let ended = Ended::of(uv_handles_tests::process::redirected(&command, redirection));
        assert_eq!((ended.code, ended.stderr[0].as_str()), (1, expected), "{ended:?}");
        let headline = format!("Error: {}", expected.split(" E").next().unwrap());
        assert!(ended.stderr.iter().any(|line| line.starts_with(&headline)), "{ended:?}");
    }
}

#[test]
fn a_runtime_that_is_none_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.js");
    fs::write(&script, "").unwrap();
    let runtime = |file: &Path| {
        let mut command =
            JAVASCRIPT.uv_run_script(&[&format!("--javascript-runtime={}", file.display())], &script);
        command.env_remove("UV_HANDLES_JAVASCRIPT");
        Ended::of(command)
    };
    runtime(&dir.path().join("none.wasm")).refused(&["none.wasm cannot be read"]);
    let other = uv_handles_tests::component("first-timer");
    runtime(&other).refused(&["first-timer.wasm is not the JavaScript runtime", "uv:scripts/scripts@0.1.0"]);

    // A uv-run in a place where there is no runtime. A link is as good, and a copy is large.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let program = dir.path().join("uv-run");
    fs::hard_link(JAVASCRIPT.uv_run_script(&[], &script).get_program(), &program).unwrap();
    let mut command = std::process::Command::new(&program);
    command.arg(&script).env_remove("UV_HANDLES_JAVASCRIPT").env_remove("RUST_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ended::of(command).refused(&[
        "there is no JavaScript runtime",
        "`cargo xtask javascript`",
        "--javascript-runtime",
        "UV_HANDLES_JAVASCRIPT",
    ]);
}
