//! Scripts in JavaScript: the tests of tests/javascript inside the sandbox, and uv-run with good
//! and bad scripts.

// FIFOs, Unix sockets and signals.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use uv_handles_tests::process::Process;
use uv_handles_tests::script::{Ended, JAVASCRIPT, root};

/// Runs a file of tests/javascript with the grants that its tests need. Signals are sent when it
/// asks for them.
fn run_tests(name: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    uv_handles_tests::os::make_fifo(&dir.path().join("fifo"));
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
            "javascript.rs"
            | "javascript_call.rs"
            | "javascript_examples.rs"
            | "javascript_fetch.rs"
            | "javascript_limits.rs"
            | "javascript_order.rs"
            | "javascript_typescript.rs" => (format!("tests/tests/{file}"), format!("fn {name}(")),
            "server/javascript.rs" => (format!("examples/plugin-host/tests/{file}"), format!("fn {name}(")),
            _ => (format!("tests/javascript/{file}"), format!("test(\"{name}\",")),
        };
        let text = fs::read_to_string(root().join(&path)).unwrap_or_else(|_| panic!("{row}: no {path}"));
        assert!(text.contains(&declared), "{row}: {declared} is not in {path}");
        rows += 1;
    }
    assert!(rows > 20, "{rows}");
}

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
fn modules_beside_the_script_are_found_unless_it_is_isolated() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("lib")).unwrap();
    fs::write(
        dir.path().join("lib/one.js"),
        "import { two } from '../two.mjs'; export const three = two + 1;",
    )
    .unwrap();
    fs::write(
        dir.path().join("two.mjs"),
        "export const two = 2; import('./main.js').then((m) => console.log(m.name));",
    )
    .unwrap();
    let main = dir.path().join("main.js");
    fs::write(&main, "import { three } from './lib/one.js'; export const name = 'main'; console.log(three);")
        .unwrap();
    // The main module is itself, not a second copy.
    Ended::of(JAVASCRIPT.uv_run_script(&[], &main)).printed(&["3", "main"]);
    let ended = Ended::of(JAVASCRIPT.uv_run_script(&["--isolated"], &main));
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.join("\n").contains("no directory is granted"), "{ended:?}");

    let link = tempfile::tempdir().unwrap();
    let linked = link.path().join("link.js");
    std::os::unix::fs::symlink(&main, &linked).unwrap();
    let ended = Ended::of(JAVASCRIPT.uv_run_script(&[], &linked));
    assert_eq!((ended.code, ended.stdout[0].as_str()), (0, "3"), "{ended:?}");
}

#[test]
fn standard_input_is_an_async_iterable() {
    let text = "
process.stdin.setEncoding('utf8');
let all = '';
for await (const chunk of process.stdin) all += chunk;
console.log(all.length, all.slice(0, 5));
";
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.mjs");
    fs::write(&script, text).unwrap();
    let input = dir.path().join("input");
    fs::write(&input, "äbcdefg".repeat(50_000)).unwrap();
    let mut command = JAVASCRIPT.uv_run_script(&["--stdin"], &script);
    command.stdin(fs::File::open(&input).unwrap());
    Ended::of(command).printed(&["350000 äbcde"]);
    // Without the grant it is empty.
    Ended::of(JAVASCRIPT.uv_run_script(&[], &script)).printed(&["0 "]);

    let events = "process.stdin.on('data', (chunk) => console.log(chunk.length)); process.stdin.on('end', () => console.log('end'));";
    fs::write(&script, events).unwrap();
    fs::write(&input, "12345").unwrap();
    let mut command = JAVASCRIPT.uv_run_script(&["--stdin"], &script);
    command.stdin(fs::File::open(&input).unwrap());
    Ended::of(command).printed(&["5", "end"]);

    // A chunk is text as it is in Node.
    let events = "
process.stdin.on('data', (chunk) => {
  console.log(chunk.toString(), `${chunk}`, chunk + '', chunk.subarray(1).toString('latin1'));
  console.log(chunk.slice(0, 2), chunk instanceof Uint8Array, structuredClone(chunk), JSON.stringify([...chunk]));
});
";
    fs::write(&script, events).unwrap();
    fs::write(&input, "aé").unwrap();
    let mut command = JAVASCRIPT.uv_run_script(&["--stdin"], &script);
    command.stdin(fs::File::open(&input).unwrap());
    Ended::of(command).printed(&[
        "aé aé aé Ã©",
        "Uint8Array(2) [ 97, 195 ] true Uint8Array(3) [ 97, 195, 169 ] [97,195,169]",
    ]);
}

/// uv-run in a directory, with these arguments.
fn in_dir(dir: &Path, arguments: &[&str]) -> std::process::Command {
    let mut command = JAVASCRIPT.uv_run_script(&[], Path::new(arguments[0]));
    command.args(&arguments[1..]).current_dir(dir);
    command
}

/// As `node -e`, `node -` and `node DIRECTORY`.
#[test]
fn scripts_that_are_no_file_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().canonicalize().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.join(name), text).unwrap();
    let main = "import { name } from './beside.js'; console.log(process.argv.slice(2), name);";
    fs::create_dir_all(dir.join("package/lib")).unwrap();
    write("beside.js", "export const name = 'beside';");
    write("package/lib/beside.js", "export { name } from '../name.js';");
    write("package/name.js", "export const name = 'inner';");
    write("package/lib/app.js", main);
    write("package/package.json", "{ \"main\": \"./lib/app\" }");
    write("index.js", main);
    write("script", &format!("#!/usr/bin/env node\n{main}"));

    let code = "import { name } from './beside.js'; console.log(process.argv, name)";
    let eval = "[ 'uv-run', '-x', '--', '-e' ] beside";
    Ended::of(in_dir(dir, &["-e", code, "-x", "--", "-e"])).printed(&[eval]);
    Ended::of(in_dir(dir, &["--eval", code, "-x", "--", "-e"])).printed(&[eval]);
    Ended::of(in_dir(dir, &["package", "a"])).printed(&["[ 'a' ] inner"]);
    Ended::of(in_dir(dir, &[".", "a"])).printed(&["[ 'a' ] beside"]);
    Ended::of(in_dir(dir, &["script", "a"])).printed(&["[ 'a' ] beside"]);
    let failed = Ended::of(in_dir(dir, &["-e", "throw new Error('bad')"]));
    assert!(failed.code == 1 && failed.stderr.join("\n").contains("[eval]:1:"), "{failed:?}");

    let mut command = in_dir(dir, &["--language=javascript", "-", "a"]);
    command.stdin(Stdio::piped());
    let mut process = Process::spawn(command);
    std::io::Write::write_all(&mut process.stdin(), b"console.log(process.argv.slice(1))").unwrap();
    assert_eq!(process.exit_code(), 0);
    assert_eq!(process.stdout.all(), ["[ '-', 'a' ]"]);

    let cwd = "console.log(process.cwd())";
    Ended::of(in_dir(dir, &["-e", cwd])).printed(&[dir.to_str().unwrap()]);
    Ended::of(in_dir(dir, &["--isolated", "-e", cwd])).printed(&["/"]);
    Ended::of(in_dir(dir, &["--dir=package::/data", "-e", cwd])).printed(&["/data"]);
}

#[test]
fn readline_reads_lines_of_standard_input() {
    let text = "
import readline from 'node:readline';
import { createInterface } from 'node:readline/promises';
const asked = createInterface({ input: process.stdin, output: process.stdout });
console.log(await asked.question('name? '));
const aborted = await asked.question('', { signal: AbortSignal.timeout(1) }).catch((error) => error.name);
console.log(aborted);
console.log(await asked.question('again? '));
asked.close();
await asked.question('').catch((error) => console.log(error.code));
const lines = readline.createInterface(process.stdin);
lines.on('line', (line) => {
  console.log('line', line);
  if (line === 'three') lines.close();
});
await new Promise((resolve) => lines.on('close', resolve));
for await (const line of readline.createInterface({ input: process.stdin })) console.log('of', line);
";
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.mjs");
    fs::write(&script, text).unwrap();
    let mut command = JAVASCRIPT.uv_run_script(&["--stdin"], &script);
    command.stdin(Stdio::piped());
    let mut process = Process::spawn(command);
    let mut stdin = process.stdin();
    for (lines, expected) in [
        ("one\r\n", &["name? one", "TimeoutError"][..]),
        ("two\n", &["again? two", "ERR_USE_AFTER_CLOSE"]),
        ("\n", &["line "]),
        ("three\n", &["line three"]),
        ("four\nfi", &["of four"]),
    ] {
        std::io::Write::write_all(&mut stdin, lines.as_bytes()).unwrap();
        for line in expected {
            assert_eq!(process.stdout.next_line().as_deref(), Some(*line));
        }
    }
    std::io::Write::write_all(&mut stdin, "ve".as_bytes()).unwrap();
    drop(stdin);
    assert_eq!(process.exit_code(), 0);
    assert_eq!(process.stdout.all().last().unwrap(), "of five");
}

/// Waiting for input ends with `pause`, and does not keep a script with `unref`.
#[test]
fn waiting_for_standard_input_can_end() {
    for text in [
        "process.stdin.on('data', console.log); setTimeout(() => process.stdin.pause(), 1);",
        "process.stdin.unref(); process.stdin.on('data', console.log);",
        "process.stdin.on('data', console.log); setTimeout(() => process.stdin.destroy(), 1);",
    ] {
        let (_dir, script) = JAVASCRIPT.script(text);
        let mut command = JAVASCRIPT.uv_run_script(&["--stdin"], &script);
        command.stdin(Stdio::piped());
        let mut process = Process::spawn(command);
        let _stdin = process.stdin();
        assert_eq!(process.exit_code(), 0, "{text}");
    }
}

/// As in Node, also without a newline.
#[test]
fn what_is_written_to_standard_output_is_shown_at_once() {
    let text = "process.stdout.write('name? '); setInterval(() => {}, 1000)";
    let (_dir, script) = JAVASCRIPT.script(text);
    let mut process = JAVASCRIPT.uv_run_script(&[], &script).spawn().unwrap();
    let mut shown = [0; 6];
    std::io::Read::read_exact(process.stdout.as_mut().unwrap(), &mut shown).unwrap();
    assert_eq!(&shown, b"name? ");
    process.kill().unwrap();
    process.wait().unwrap();
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

/// As in Node, Ctrl+C ends a script without a listener at once; with one, the script decides.
#[test]
fn ctrl_c_is_an_event() {
    let text = "
process.on('exit', (code) => console.log('exit', code));
process.on('SIGINT', () => { try { process.exit(130) } finally { console.log('never') } });
setInterval(() => {}, 1000);
console.log('ready');
";
    let (_dir, script) = JAVASCRIPT.script(text);
    let mut process = Process::spawn(JAVASCRIPT.uv_run_script(&["--signal=int"], &script));
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    process.kill(libc::SIGINT);
    assert_eq!(process.exit_code(), 130);
    assert_eq!(process.stdout.all(), ["ready", "exit 130"]);
}

#[test]
fn granted_signals_have_events() {
    let text = "
process.on('SIGHUP', (name, number) => console.log(name, number));
process.once('SIGTERM', () => { console.log('term'); clearInterval(keep); });
const keep = setInterval(() => {}, 1000);
console.log('ready');
";
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.js");
    fs::write(&script, text).unwrap();
    let mut process = Process::spawn(JAVASCRIPT.uv_run_script(&["--signal=hup,term"], &script));
    let next = |process: &mut Process| process.stdout.next_line().unwrap();
    assert_eq!(next(&mut process), "ready");
    for _ in 0..2 {
        process.kill(libc::SIGHUP);
        assert_eq!(next(&mut process), "SIGHUP 1");
    }
    process.kill(libc::SIGTERM);
    assert_eq!(next(&mut process), "term");
    assert_eq!(process.exit_code(), 0);
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

#[test]
fn the_runtime_is_a_program_too() {
    let dir = tempfile::tempdir().unwrap();
    let text = "import { code } from './beside.js'; console.log(process.argv.slice(1)); process.exit(code);";
    fs::write(dir.path().join("script.js"), text).unwrap();
    fs::write(dir.path().join("beside.js"), "export const code = 7;").unwrap();
    let mut command = JAVASCRIPT
        .uv_run_script(&[&format!("--dir-ro={}::scripts", dir.path().display())], &JAVASCRIPT.runtime());
    command.args(["scripts/script.js", "x"]);
    let ended = Ended::of(command);
    // WASI 0.2 has no other code.
    assert_eq!(
        (ended.code, ended.stdout.join("").as_str()),
        (1, "[ 'scripts/script.js', 'x' ]"),
        "{ended:?}"
    );
    let ended = Ended::of(JAVASCRIPT.uv_run_script(&[], &JAVASCRIPT.runtime()));
    assert_eq!((ended.code, ended.stderr.join("").as_str()), (1, "usage: SCRIPT.js [ARGS]..."));
}

#[test]
fn a_script_whose_output_is_not_read_ends_silently() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.js");
    fs::write(&script, "for (;;) console.log('y')").unwrap();
    let (read, write) = std::io::pipe().unwrap();
    let mut command = JAVASCRIPT.uv_run_script(&[], &script);
    command.stdout(write);
    drop(read);
    let ended = Ended::of(command);
    assert_eq!((ended.code, &ended.stderr[..]), (141, &[][..]), "{ended:?}");
}
