//! Scripts in JavaScript that want too much: each ends with a clear error, and the host goes on.

use uv_handles_tests::script::{Ended, JAVASCRIPT};
use wasmtime::Trap;

#[track_caller]
fn ends(options: &[&str], text: &str, code: i32, expected: &str) {
    let ended = JAVASCRIPT.run(options, text);
    assert_eq!(ended.code, code, "{text}: {ended:?}");
    let all = [ended.stdout.join("\n"), ended.stderr.join("\n")].join("\n");
    assert!(all.contains(expected), "{text}: {expected} is not in {all}");
}

#[test]
fn a_script_that_does_not_end_is_ended_by_the_timeout() {
    for text in [
        "for (;;);",
        "const again = () => Promise.resolve().then(again); again();",
        "const again = () => process.nextTick(again); again();",
        "const again = () => setImmediate(again); again();",
        "for (;;) { try { for (;;); } finally { continue; } }",
        "/(a+)+b/.test('a'.repeat(40))",
        "setInterval(() => {}, 1)",
        "process.on('exit', () => { for (;;); })",
    ] {
        let ended = JAVASCRIPT.run(&["--timeout=0.3"], format!("console.log('begins');\n{text}\n"));
        assert_eq!((ended.code, &ended.stdout[..]), (124, &["begins".to_owned()][..]), "{text}: {ended:?}");
        assert_eq!(ended.stderr, ["uv-run: the guest was ended after 0.3 s (--timeout)"], "{text}");
    }
}

#[test]
fn a_recursion_without_end_is_a_range_error() {
    let error = "RangeError: Maximum call stack size exceeded";
    for text in [
        "function f() { f() } f()",
        "const f = () => [1].map(f); f()",
        "class A { get x() { return this.x } } new A().x",
        "const p = new Proxy({}, { get: (_, k, r) => r[k] }); p.x",
        "const o = { toString() { return `${this}` } }; String(o)",
        "class A { constructor() { new A() } } new A()",
        "function f() { 'x'.replace(/x/, f) } f()",
        "async function f() { await f() } await f()",
    ] {
        ends(&[], text, 1, error);
    }
    // It can be caught, and the script goes on.
    let text =
        "let depth = 0; const f = () => { depth += 1; f() }; try { f() } catch { console.log(depth > 1000) }";
    JAVASCRIPT.run(&[], text).printed(&["true"]);
}

#[test]
fn too_much_memory_is_an_error() {
    // The last bytes are used up by another step of the script for each limit.
    for (n, text) in [
        "const all = []; for (;;) all.push(new Uint8Array(1 << 20))",
        "let s = 'x'; for (;;) s += s + s.slice(1)",
        "'x'.repeat(2 ** 30 - 10)",
        "const all = []; for (;;) all.push({})",
        "const all = new Map(); for (let n = 0; ; n += 1) all.set(n, `${n}`)",
        "const all = new Map(); for (let n = 0; ; n += 1) all.set(`${n}`, { n })",
        "const all = []; setTimeout(() => { for (let n = 0; ; n += 1) all.push([n, `${n}`]) })",
        "const all = []; await 0; for (let n = 0; ; n += 1) all.push(() => n)",
        "const all = []; const f = async () => { for (;;) all.push({ a: 1, b: [] }) }; f()",
    ]
    .into_iter()
    .enumerate()
    {
        let ended = JAVASCRIPT.run(&[&format!("--max-memory={}K", 65536 - 64 * n)], text);
        let stderr = ended.stderr.join("\n");
        assert_eq!(ended.code, 1, "{text}: {ended:?}");
        assert!(
            ["out of memory", "string too long", "Invalid string length"]
                .iter()
                .any(|words| stderr.contains(words)),
            "{text}: {stderr}"
        );
    }
}

#[test]
fn too_many_handles_are_an_error() {
    let text = "import uv from 'uv'; const all = []; for (;;) all.push(new uv.Timer())";
    ends(&["--max-handles=50"], text, 1, "UVError: ENOMEM");
    // All timeouts of a script are one handle.
    let text = "for (let n = 0; n < 10_000; n += 1) setTimeout(() => {}, n % 100); console.log('all')";
    JAVASCRIPT.run(&["--max-handles=50", "--virtual-time"], text).printed(&["all"]);
}

#[test]
fn evaluated_text_has_no_more_access() {
    JAVASCRIPT.run(&[], "console.log(eval('1 + 1'), new Function('return 3')())").printed(&["2 3"]);
    ends(
        &[],
        "eval('import(\"runtime:native\")').catch((e) => { console.log(e.code); })",
        0,
        "ERR_MODULE_NOT_FOUND",
    );
    ends(&[], "eval('{')", 1, "SyntaxError");
}

#[test]
fn a_promise_that_never_settles_is_an_exit_code() {
    ends(&[], "await new Promise(() => {})", 13, "unsettled top-level await in /");
}

#[test]
fn thousands_of_scripts_run_in_fresh_instances_of_one_runtime() {
    for n in 0..2_000 {
        let text = format!(
            "if (globalThis.before !== undefined) throw new Error('not fresh');
            globalThis.before = {n};
            setTimeout(() => console.log({n}), 0);"
        );
        assert_eq!(JAVASCRIPT.run_in_instance(&text, u64::MAX / 2).unwrap(), (0, format!("{n}\n")));
    }
}

#[test]
fn a_trapped_script_leaves_the_others_alone() {
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let engine = JAVASCRIPT.embedded().engine.clone();
    let ticker = std::thread::spawn(move || {
        while stopped.recv_timeout(std::time::Duration::from_millis(10)).is_err() {
            engine.increment_epoch();
        }
    });
    for _ in 0..3 {
        let trapped = JAVASCRIPT.run_in_instance("for (;;);", 5).unwrap_err();
        assert_eq!(trapped.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
        assert_eq!(
            JAVASCRIPT.run_in_instance("console.log('fine')", 1_000).unwrap(),
            (0, "fine\n".to_owned())
        );
    }
    stop.send(()).unwrap();
    ticker.join().unwrap();
}

/// An empty script is a script too.
#[test]
fn a_script_of_nothing_succeeds() {
    let ended: Ended = JAVASCRIPT.run(&[], "");
    assert_eq!((ended.code, ended.stdout.len(), ended.stderr.len()), (0, 0, 0), "{ended:?}");
}
