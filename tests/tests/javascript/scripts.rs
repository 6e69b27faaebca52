//! Scripts in JavaScript under uv-run: where they come from, their modules, streams, signals and ends.

// FIFOs, Unix sockets and signals.
#![cfg(unix)]

use std::fs;
use std::process::Stdio;
use uv_handles_tests::process::Process;
use uv_handles_tests::script::{Ended, JAVASCRIPT};

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
    Ended::of(JAVASCRIPT.in_dir(dir, &["-e", code, "-x", "--", "-e"])).printed(&[eval]);
    Ended::of(JAVASCRIPT.in_dir(dir, &["--eval", code, "-x", "--", "-e"])).printed(&[eval]);
    Ended::of(JAVASCRIPT.in_dir(dir, &["package", "a"])).printed(&["[ 'a' ] inner"]);
    Ended::of(JAVASCRIPT.in_dir(dir, &[".", "a"])).printed(&["[ 'a' ] beside"]);
    Ended::of(JAVASCRIPT.in_dir(dir, &["script", "a"])).printed(&["[ 'a' ] beside"]);
    let failed = Ended::of(JAVASCRIPT.in_dir(dir, &["-e", "throw new Error('bad')"]));
    assert!(failed.code == 1 && failed.stderr.join("\n").contains("[eval]:1:"), "{failed:?}");

    let mut command = JAVASCRIPT.in_dir(dir, &["--language=javascript", "-", "a"]);
    command.stdin(Stdio::piped());
    let mut process = Process::spawn(command);
    std::io::Write::write_all(&mut process.stdin(), b"console.log(process.argv.slice(1))").unwrap();
    assert_eq!(process.exit_code(), 0);
    assert_eq!(process.stdout.all(), ["[ '-', 'a' ]"]);

    let cwd = "console.log(process.cwd())";
    Ended::of(JAVASCRIPT.in_dir(dir, &["-e", cwd])).printed(&[dir.to_str().unwrap()]);
    Ended::of(JAVASCRIPT.in_dir(dir, &["--isolated", "-e", cwd])).printed(&["/"]);
    Ended::of(JAVASCRIPT.in_dir(dir, &["--dir=package::/data", "-e", cwd])).printed(&["/data"]);
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
