//! Python scripts that are wrong, or ask for what is not granted: what uv-run and Python say.

// FIFOs, Unix sockets and signals.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Stdio;
use uv_handles_tests::process::Process;
use uv_handles_tests::script::{Ended, PYTHON};

/// Errors are reported as Python reports them, and the exit code is 1.
#[track_caller]
fn fails(options: &[&str], text: impl AsRef<[u8]>, expected: &[&str]) {
    let ended = PYTHON.run(options, text);
    let stderr = ended.stderr.join("\n");
    assert_eq!(ended.code, 1, "{stderr}");
    for words in expected {
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
    for word in ["trap", "wasm", "panicked", ".rs:", "uv_runtime", "componentize"] {
        assert!(!stderr.contains(word), "{word}: {stderr}");
    }
}

#[test]
fn what_is_wrong_is_a_traceback_with_the_scripts_name_and_line() {
    let line = |number: u32| format!("script.py\", line {number}");
    fails(
        &[],
        "x = 1\n\n1 / 0\n",
        &["Traceback (most", &line(3), "    1 / 0\n", "ZeroDivisionError: division by zero"],
    );
    fails(&[], "x = 1\ndef f(:\n", &[&line(2), "    def f(:\n", "SyntaxError: invalid syntax"]);
    fails(&[], "if x:\npass", &[&line(2), "IndentationError: expected an indented block"]);
    fails(&[], "import nosuchmodule", &[&line(1), "ModuleNotFoundError: No module named 'nosuchmodule'"]);
    fails(&[], "import ssl", &[&line(1), "ModuleNotFoundError: No module named 'ssl'"]);
    fails(
        &[],
        "\nimport uv\nuv.open('files')",
        &[&line(3), "uv.UVError: ENOENT: no descriptor was granted", "'files' (uv-run --listen files="],
    );
    // The descriptor is granted, and the file of the socket is missing.
    fails(
        &["--unix-connect=peer=/missing/socket"],
        "import uv\nuv.open('peer')",
        &[&line(2), "uv.UVError: ENOENT: no such file or directory"],
    );
    fails(
        &[],
        "import uv\nuv.Signal().start(15)",
        &[&line(2), "uv.UVError: EACCES: the signal SIGTERM was not granted (uv-run --signal term)"],
    );
    fails(
        &[],
        "import uv\nuv.Async.named('reload')",
        &["uv.UVError: ENOENT: no async handle was granted under the name 'reload' (uv-run --wake reload)"],
    );
    fails(
        &[],
        "import asyncio\nasync def main(): asyncio.get_running_loop().add_signal_handler(1, print)\nasyncio.run(main())",
        &["uv.UVError: EACCES: the signal SIGHUP was not granted (uv-run --signal hup)"],
    );
    fails(
        &[],
        "import signal\nsignal.signal(15, print)",
        &[&line(2), "uv.UVError: EACCES: the signal SIGTERM was not granted (uv-run --signal term)"],
    );
    fails(
        &[],
        "import threading\nthreading.Thread(target=print).start()",
        &[&line(2), "RuntimeError: can't start new thread: there are no threads in the sandbox"],
    );
    fails(
        &[],
        "import subprocess\nsubprocess.run('ls')",
        &[&line(2), "OSError: ", "there are no processes in the sandbox"],
    );
    fails(
        &[],
        "import uv\nuv.Timer().start('1')",
        &[&line(2), "TypeError: the timeout must be an int, not str"],
    );
    fails(&[], "import uv\nuv.Timer().start(1, 2)", &[&line(2), "TypeError: the callback must be callable"]);
    fails(
        &[],
        "import uv\nuv.Timer().start(-1)",
        &[&line(2), "ValueError: the timeout must not be negative"],
    );
    fails(
        &[],
        "import uv\nuv.Timer().start(2**64)",
        &[&line(2), "OverflowError: the timeout must be below 2**64"],
    );
    fails(&[], "def f(): f()\nf()", &[&line(1), "RecursionError"]);
    fails(&["--max-memory=100M"], "x = bytearray(1 << 30)", &[&line(1), "MemoryError"]);
}

#[test]
fn a_script_that_forgets_to_run_its_loop_is_warned() {
    let ended = PYTHON.run(&[], "import uv\nuv.Timer().start(1, print)\nuv.Async()\n");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(
        ended.stderr,
        ["uv: 2 handles are active (Async, Timer) on a loop that was not run: \
          a script calls uv.Loop.get_current().run()"]
    );
    for text in [
        "import uv\nuv.Timer()\n",
        "import uv\nuv.Timer().start(1, print)\nraise SystemExit(0)\n",
        "import uv\nuv.Async().dereference()\n",
        "import uv\nuv.Async()\nuv.Loop.get_current().run(uv.RunMode.NOWAIT)\n",
    ] {
        let ended = PYTHON.run(&[], text);
        assert!(ended.code == 0 && ended.stderr.is_empty(), "{text}: {ended:?}");
    }
}

#[test]
fn errors_of_files_name_the_option_that_grants_them() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = dir.path().canonicalize().unwrap();
    let text = "
import os, pathlib, sys
try:
    eval(sys.argv[1])
except OSError as error:
    print(type(error).__name__, str(error).partition('] ')[2])
";
    fs::write(root.join("script.py"), text).unwrap();
    fs::create_dir(root.join("below")).unwrap();
    let file = root.join("script.py").display().to_string();
    let own = root.display().to_string();
    for (call, error) in [
        (
            "open('/no dir/x')",
            "No such file or directory, or not granted (uv-run --dir-ro '/no dir'): '/no dir/x'",
        ),
        ("os.listdir('/no')", "No such file or directory, or not granted (uv-run --dir-ro /no): '/no'"),
        (
            "open('out.txt', 'a')",
            "Operation not permitted, not granted for writing (uv-run --dir .): 'out.txt'",
        ),
        ("pathlib.Path('no/x').read_text()", "No such file or directory: 'no/x'"),
        ("open('below/no')", "No such file or directory: 'below/no'"),
    ] {
        let ended = Ended::of(PYTHON.in_dir(&root, &["script.py", call]));
        let kind = if error.starts_with("No") { "FileNotFoundError" } else { "PermissionError" };
        ended.printed(&[&format!("{kind} {error}")]);
    }
    let at = |path: &str| format!("{own}/{path}");
    for (call, error) in [
        ("open('x.txt')".to_owned(), "(uv-run --dir-ro .): 'x.txt'".to_owned()),
        ("os.open('x.txt', os.O_CREAT | os.O_RDWR)".into(), "(uv-run --dir .): 'x.txt'".into()),
        ("os.mkdir('x')".into(), "(uv-run --dir .): 'x'".into()),
        (format!("os.rename('{}', '/a/b')", at("script.py")), format!("'{}' -> '/a/b'", at("script.py"))),
        (format!("os.remove('{}')", at("script.py")), format!("(uv-run --dir {own}): '{}'", at("script.py"))),
        (format!("open('{}')", at("no/x")), format!("directory: '{}'", at("no/x"))),
    ] {
        let ended = Ended::of(PYTHON.in_dir(other.path(), &[&file, &call]));
        assert!(ended.code == 0 && ended.stdout[0].ends_with(&error), "{call}: {ended:?}");
    }
    // The traceback ends in the script.
    let ended = Ended::of(PYTHON.in_dir(&root, &["-c", "open('/none/x')"]));
    let [.., line, _, last] = &ended.stderr[..] else { panic!("{ended:?}") };
    assert!(line.trim() == "open('/none/x')" && last.starts_with("FileNotFoundError"), "{ended:?}");
}

#[test]
fn locks_do_without_threads() {
    let text = "
import queue, signal, threading, time

def attempt(function):
    begin = time.monotonic()
    try:
        result = function()
    except (RuntimeError, ValueError, queue.Empty) as error:
        result = f'{type(error).__name__}: {error}'
    print(result, time.monotonic() - begin >= 0.05)

lock = threading.Lock()
with lock:
    attempt(lock.acquire)
    attempt(lambda: lock.acquire(False))
    attempt(lambda: lock.acquire(timeout=0.05))
    attempt(lambda: lock.acquire(False, 1))
    print(lock.locked(), isinstance(lock, threading.Lock))
attempt(lock.release)
attempt(threading.Event().wait)
attempt(lambda: threading.Event().wait(0.05))
attempt(queue.Queue().get)
attempt(lambda: queue.SimpleQueue().get(timeout=0.05))
";
    let taken = "RuntimeError: the lock is taken, and would never be released: there are no threads in the sandbox False";
    PYTHON.run(&[], text).printed(&[
        taken,
        "False False",
        "False True",
        "ValueError: can't specify a timeout for a non-blocking call False",
        "True True",
        "RuntimeError: release unlocked lock False",
        taken,
        "False True",
        taken,
        "Empty:  True",
    ]);

    // The handler of a signal releases it.
    let text = "
import signal, threading
event = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: event.set())
for timeout in (30, None):
    print('waits', flush=True)
    print(event.wait(timeout))
    event.clear()
";
    let (_dir, script) = PYTHON.script(text);
    let mut process = Process::spawn(PYTHON.uv_run_script(&["--signal=term", "--timeout=20"], &script));
    for _ in 0..2 {
        assert_eq!(process.stdout.next_line().as_deref(), Some("waits"));
        process.kill(libc::SIGTERM);
        assert_eq!(process.stdout.next_line().as_deref(), Some("True"));
    }
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_text_that_is_not_utf_8_is_a_syntax_error() {
    fails(&[], b"x = 1\ny = '\xff'\n", &["script.py\"", "SyntaxError: (unicode error) 'utf-8' codec"]);
    fails(&[], b"x = '\0'", &["SyntaxError: source code string cannot contain null bytes"]);
    fails(&[], "# coding: no-such-coding\n", &["SyntaxError: ", "no-such-coding"]);
    PYTHON.run(&[], b"# coding: latin-1\nprint('\xfc')\n").printed(&["ü"]);
    PYTHON.run(&[], b"\xef\xbb\xbfprint('with a mark')\r\n").printed(&["with a mark"]);
}

#[test]
fn a_script_or_directory_that_is_not_there_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.py");
    Ended::of(PYTHON.uv_run_script(&[], &missing)).refused(&["missing.py cannot be read", "No such file"]);
    let directory = dir.path().join("directory.py");
    fs::create_dir(&directory).unwrap();
    Ended::of(PYTHON.uv_run_script(&[], &directory))
        .refused(&["directory.py is a directory with neither __main__.py nor"]);
    let ended = PYTHON.run(&["--pythonpath=/no/such/directory"], "");
    ended.refused(&["/no/such/directory cannot be opened"]);
}

#[test]
fn a_runtime_that_is_none_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.py");
    fs::write(&script, "").unwrap();
    let runtime = |file: &Path| {
        let mut command = PYTHON.uv_run_script(&[&format!("--python-runtime={}", file.display())], &script);
        command.env_remove("UV_HANDLES_PYTHON");
        Ended::of(command)
    };
    runtime(&dir.path().join("none.wasm")).refused(&["none.wasm cannot be read"]);
    runtime(&script).refused(&["script.py cannot be run: it is too short to be WebAssembly"]);
    let other = uv_handles_tests::component("first-timer");
    runtime(&other).refused(&["first-timer.wasm is not the Python runtime", "uv:scripts/scripts@0.1.0"]);

    let mut command = PYTHON.uv_run_script(&[], &script);
    command.env("UV_HANDLES_PYTHON", dir.path().join("variable.wasm"));
    Ended::of(command).refused(&["variable.wasm cannot be read"]);
}

#[test]
fn without_a_runtime_uv_run_says_how_to_get_one() {
    // A uv-run in a place where there is none. A link is as good, and a copy is large.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let script = dir.path().join("script.py");
    fs::write(&script, "").unwrap();
    let program = dir.path().join("bin/uv-run");
    fs::create_dir(dir.path().join("bin")).unwrap();
    fs::hard_link(PYTHON.uv_run_script(&[], &script).get_program(), &program).unwrap();
    let start = || {
        let mut command = std::process::Command::new(&program);
        command.arg(&script).env_remove("UV_HANDLES_PYTHON").env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ended::of(command)
    };
    start().refused(&[
        "there is no Python runtime",
        "`cargo xtask python`",
        "--python-runtime",
        "UV_HANDLES_PYTHON",
    ]);
    for place in ["bin", "share/uv-handles", "python"] {
        let place = dir.path().join(place);
        fs::create_dir_all(&place).unwrap();
        // The message that it is no component shows that the file was found.
        fs::write(place.join("uv-python.wasm"), "found").unwrap();
        start().refused(&[place.join("uv-python.wasm").to_str().unwrap(), "it is not WebAssembly"]);
        fs::remove_file(place.join("uv-python.wasm")).unwrap();
    }
}
