//! Python scripts: the tests of tests/python inside the sandbox, and uv-run with good and bad
//! scripts.

// FIFOs, Unix sockets and signals.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use uv_handles_tests::http_server::{server, text};
use uv_handles_tests::os::make_fifo;
use uv_handles_tests::process::{Process, in_shell};
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

#[test]
fn arguments_are_the_scripts() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.py");
    fs::write(&script, "import sys\nprint(sys.argv)\nprint(__name__, __file__)\n").unwrap();
    let mut command = PYTHON.uv_run_script(&[], &script);
    command.args(["--stdin", "a b", "ü"]);
    let shown = script.display();
    let ended = Ended::of(command);
    ended.printed(&[&format!("['{shown}', '--stdin', 'a b', 'ü']"), &format!("__main__ {shown}")]);
    // An option at this place is more likely a mistake.
    let hint = format!("uv-run: \"--stdin\" stands behind \"{}", &shown.to_string()[..10]);
    assert!(ended.stderr.len() == 1 && ended.stderr[0].starts_with(&hint), "{ended:?}");
    let mut command = PYTHON.uv_run_script(&["--"], &script);
    command.args(["--stdin", "a b", "ü"]);
    let meant = Ended::of(command);
    assert_eq!((meant.stdout, meant.stderr), (ended.stdout, Vec::new()));
}

/// uv-run in a directory, with these arguments.
fn in_dir(dir: &Path, arguments: &[&str]) -> std::process::Command {
    let mut command = PYTHON.uv_run_script(&[], Path::new(arguments[0]));
    command.args(&arguments[1..]).current_dir(dir);
    command
}

/// As `python -c`, `python -m`, `python -` and `python DIRECTORY`.
#[test]
fn scripts_that_are_no_file_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let dir = &dir.path().canonicalize().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.join(name), text).unwrap();
    fs::create_dir(dir.join("package")).unwrap();
    let main = "import sys, beside\nprint(__name__, sys.argv[1:], beside.NAME)\n";
    write("beside.py", "NAME = 'beside'\n");
    write("package/__init__.py", "");
    write("package/__main__.py", main);
    write("package/beside.py", "NAME = 'inner'\n");
    write("single.py", main);
    write("script", &format!("#!/usr/bin/env python3\n{main}"));

    let code = "import sys, beside; print(sys.argv, beside.NAME, '__file__' in globals())";
    Ended::of(in_dir(dir, &["-c", code, "-x", "--", "-c"]))
        .printed(&["['-c', '-x', '--', '-c'] beside False"]);
    Ended::of(in_dir(dir, &["-m", "single", "-m", "x"])).printed(&["__main__ ['-m', 'x'] beside"]);
    Ended::of(in_dir(dir, &["-m", "package", "a"])).printed(&["__main__ ['a'] beside"]);
    Ended::of(in_dir(dir, &["package", "a"])).printed(&["__main__ ['a'] inner"]);
    Ended::of(in_dir(dir, &["script", "a"])).printed(&["__main__ ['a'] beside"]);
    Ended::of(in_dir(dir, &["--language=python", "script"])).printed(&["__main__ [] beside"]);

    let mut command = in_dir(dir, &["-m", "json.tool", "--no-indent"]);
    command.arg("/data.json");
    let ended = Ended::of(command);
    assert!(ended.code != 0 && ended.stderr.join("").contains("data.json"), "{ended:?}");
    let failed = Ended::of(in_dir(dir, &["-m", "nosuch"]));
    assert!(
        failed.code == 1 && failed.stderr.last().unwrap().ends_with("No module named nosuch"),
        "{failed:?}"
    );
    let failed = Ended::of(in_dir(dir, &["-c", "1 / 0"]));
    assert_eq!(failed.code, 1);
    assert!(failed.stderr[1].contains("File \"<string>\", line 1"), "{failed:?}");
    let failed = Ended::of(in_dir(dir, &["--isolated", "-c", "import beside"]));
    assert!(failed.stderr.last().unwrap().starts_with("ModuleNotFoundError"), "{failed:?}");

    // The text of a script that comes from somewhere does not get the directory.
    for (options, text) in [(&["--language=python", "-", "a"][..], ""), (&["-", "a"], "#!/usr/bin/python3\n")]
    {
        let mut command = in_dir(dir, options);
        command.stdin(Stdio::piped());
        let mut process = Process::spawn(command);
        let text = format!("{text}import sys, os\nprint(sys.argv, sys.path)\n");
        std::io::Write::write_all(&mut process.stdin(), text.as_bytes()).unwrap();
        assert_eq!(process.exit_code(), 0);
        assert_eq!(process.stdout.all(), ["['-', 'a'] []"]);
    }
    let failed = Ended::of(in_dir(dir, &["-"]));
    failed.refused(&["the language of the script on standard input is not known", "--language"]);
}

#[test]
fn relative_paths_begin_in_the_first_granted_directory() {
    let (dir, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let text = "import os\nprint(os.getcwd(), __file__)\nopen('out.txt', 'w').write('written')\n";
    fs::write(dir.path().join("script.py"), text).unwrap();
    let root = dir.path().canonicalize().unwrap();
    let shown = root.display();
    let inner = data.path().display().to_string();
    fs::create_dir(dir.path().join("out")).unwrap();
    let file = format!("{shown}/script.py");
    for (option, cwd, written) in [
        (format!("--dir={inner}"), inner.clone(), data.path().join("out.txt")),
        (format!("--dir={inner}::/data"), "/data".into(), data.path().join("out.txt")),
        ("--dir=out".into(), "/out".into(), root.join("out/out.txt")),
        ("--dir=.".into(), "/".into(), root.join("out.txt")),
    ] {
        Ended::of(in_dir(&root, &[&option, "script.py"])).printed(&[&format!("{cwd} {file}")]);
        assert_eq!(fs::read_to_string(&written).unwrap(), "written", "{option}");
        fs::remove_file(written).unwrap();
    }
    // Without an option it is uv-run's own directory, if that is granted for modules.
    fs::write(dir.path().join("data.txt"), "beside").unwrap();
    fs::write(dir.path().join("script.py"), "import os\nprint(os.getcwd(), open('data.txt').read())\n")
        .unwrap();
    Ended::of(in_dir(&root, &["script.py"])).printed(&[&format!("{shown} beside")]);
    let ended = Ended::of(in_dir(data.path(), &[&file]));
    assert!(ended.code == 1 && ended.stderr.last().unwrap().starts_with("FileNotFoundError"), "{ended:?}");
}

#[test]
fn standard_input_is_read_the_usual_ways() {
    let text = "
import sys, uv
print(input('name? '))
print(sys.stdin.readline())
with uv.open('stdin') as stdin:
    stdin.setblocking(True)
    print(stdin.recv(0))
for line in sys.stdin:
    print(line.strip())
try:
    input()
except EOFError as error:
    print(error)
";
    let (_dir, script) = PYTHON.script(text);
    let mut command = PYTHON.uv_run_script(&["--stdin"], &script);
    command.stdin(Stdio::piped());
    let mut process = Process::spawn(command);
    let mut stdin = process.stdin();
    for (lines, expected) in [("one\n", &["name? one"][..]), ("two\n", &["two", "", "b''"])] {
        std::io::Write::write_all(&mut stdin, lines.as_bytes()).unwrap();
        for line in expected {
            assert_eq!(process.stdout.next_line().as_deref(), Some(*line));
        }
    }
    std::io::Write::write_all(&mut stdin, b"three\nfour").unwrap();
    drop(stdin);
    assert_eq!(process.exit_code(), 0);
    assert_eq!(process.stdout.all()[4..], ["three", "four", "EOF when reading a line"]);

    // Without the grant it is empty, and uv-run tells which option grants it.
    let ended = Ended::of(PYTHON.uv_run_script(&[], &script));
    assert_eq!((ended.code, ended.stderr.last().unwrap().as_str()), (1, "EOFError: EOF when reading a line"));
    assert!(ended.stderr[0].contains("--stdin would grant"), "{ended:?}");
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

/// Ctrl+C between callbacks and in a wait is `KeyboardInterrupt`, unless the script watches the signal itself.
#[test]
fn ctrl_c_interrupts_a_loop_and_a_read() {
    let text = "
import atexit, signal, sys, time, uv
atexit.register(print, 'at exit')
loop = uv.Loop.get_current()
own = uv.Signal()
own.start_oneshot(uv.Signals.SIGINT, lambda *_: (print('own'), later.start(0, print_ready)))
later = uv.Timer()
def print_ready(*_):
    print('ready')
keep = uv.Async()
later.start(0, print_ready)
try:
    loop.run()
except KeyboardInterrupt:
    print('interrupted')
later.start(0, print_ready)
signal.signal(signal.SIGINT, lambda number, frame: (print('handler', number), loop.stop()))
loop.run()
signal.signal(signal.SIGINT, signal.default_int_handler)

# Before the wait begins, the signal would end uv-run.
begin = uv.interrupt.Interrupt.begin
def begin_and_tell(interrupt, loop):
    begin(interrupt, loop)
    print('ready')
uv.interrupt.Interrupt.begin = begin_and_tell
for wait in lambda: time.sleep(1000), input:
    try:
        wait()
    except KeyboardInterrupt:
        if wait is input:
            raise
    finally:
        print('finally')
";
    let (_dir, script) = PYTHON.script(text);
    let mut command = PYTHON.uv_run_script(&["--signal=int", "--stdin"], &script);
    command.stdin(Stdio::piped());
    let mut process = Process::spawn(command);
    let _stdin = process.stdin();
    for line in ["ready", "own", "ready", "interrupted", "ready", "handler 2", "ready", "finally", "ready"] {
        assert_eq!(process.stdout.next_line().as_deref(), Some(line));
        if line == "ready" {
            process.kill(libc::SIGINT);
        }
    }
    assert_eq!(process.exit_code(), 130);
    assert_eq!(process.stdout.all()[9..], ["finally", "at exit"]);
    assert_eq!(process.stderr.all().last().unwrap(), "KeyboardInterrupt");
}

/// A shell lets programs in the background ignore Ctrl+C.
#[test]
fn an_inherited_ignored_signal_stays_ignored_until_the_script_asks_for_it() {
    let text = "
import asyncio, os, signal, time
print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN, 'UV_HANDLES_IGNORED_SIGNALS' in os.environ)

async def main():
    print('ready', flush=True)
    input()

asyncio.run(main())
signal.signal(signal.SIGINT, lambda *_: print('handler'))
print('ready', flush=True)
input()
";
    let (_dir, script) = PYTHON.script(text);
    let command = PYTHON.uv_run_script(&["--signal=int", "--stdin"], &script);
    let mut shell = in_shell(&command, r#"trap '' INT; exec "$@""#);
    shell.stdin(Stdio::piped());
    let mut process = Process::spawn(shell);
    let mut stdin = process.stdin();
    for line in ["True False", "ready"] {
        assert_eq!(process.stdout.next_line().as_deref(), Some(line));
    }
    process.kill(libc::SIGINT);
    stdin.write_all(b"\n").unwrap();
    assert_eq!(process.stdout.next_line().as_deref(), Some("ready"));
    process.kill(libc::SIGINT);
    assert_eq!(process.stdout.next_line().as_deref(), Some("handler"));
    drop(stdin);
    assert_eq!(process.exit_code(), 1, "input() raises EOFError");
}

/// A handler that `signal.signal` has set is called in every wait, for signals during the wait and
/// before it. So are those of SIGTERM, whose default would end uv-run.
#[test]
fn a_granted_signal_calls_its_handler() {
    let text = "
import asyncio, signal, socket, time, uv

class Stop(Exception):
    pass

def handler(number, frame):
    print('handler', number)
    raise Stop

def read():
    with uv.open('stdin') as stdin:
        stdin.setblocking(True)
        stdin.recv(1)

def busy():
    with uv.open('stdin') as stdin:
        while True:
            try:
                return stdin.recv(1)
            except BlockingIOError:
                pass

def later():
    busy()
    uv.Loop.get_current().run(uv.RunMode.NOWAIT)

def later_in_asyncio():
    busy()
    asyncio.run(asyncio.sleep(1000))

keep = uv.Async()
server = socket.create_server(('127.0.0.1', 0))
waits = {
    'run': uv.Loop.get_current().run,
    'asyncio': lambda: asyncio.run(asyncio.sleep(1000)),
    'input': input,
    'recv': read,
    'sleep': lambda: time.sleep(1000),
    'accept': server.accept,
    'busy': later,
    'busy with asyncio': later_in_asyncio,
}
for signum in signal.SIGTERM, signal.SIGINT:
    before = signal.getsignal(signum)
    assert signal.signal(signum, handler) is before
    assert signal.getsignal(signum) is handler
    for name, wait in waits.items():
        print(name)
        try:
            wait()
        except Stop:
            print('stopped')

signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('busy and ignores it')
busy()
time.sleep(0.001)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
print('default')
try:
    time.sleep(1000)
finally:
    print('not reached')
";
    let (_dir, script) = PYTHON.script(text);
    let options = ["--signal=int,term", "--stdin", "--tcp-listen=127.0.0.1:0"];
    let mut command = PYTHON.uv_run_script(&options, &script);
    command.stdin(Stdio::piped());
    let mut process = Process::spawn(command);
    let mut stdin = process.stdin();
    for signum in [libc::SIGTERM, libc::SIGINT] {
        for name in ["run", "asyncio", "input", "recv", "sleep", "accept", "busy", "busy with asyncio"] {
            assert_eq!(process.stdout.next_line().as_deref(), Some(name));
            process.kill(signum);
            if name.starts_with("busy") {
                stdin.write_all(b"\n").unwrap();
            }
            assert_eq!(process.stdout.next_line(), Some(format!("handler {signum}")), "{name}");
            assert_eq!(process.stdout.next_line().as_deref(), Some("stopped"), "{name}");
        }
    }
    assert_eq!(process.stdout.next_line().as_deref(), Some("busy and ignores it"));
    process.kill(libc::SIGTERM);
    stdin.write_all(b"\n").unwrap();
    assert_eq!(process.stdout.next_line().as_deref(), Some("default"));
    process.kill(libc::SIGTERM);
    assert_eq!(process.wait().signal(), Some(libc::SIGTERM));
    assert_eq!(process.stdout.all().last().unwrap(), "default");
}

/// Without the grant, a handler is an error, and what needs none works.
#[test]
fn a_handler_of_a_signal_that_is_not_granted_is_refused() {
    let text = "
import asyncio, signal, uv
assert signal.signal(signal.SIGTERM, signal.SIG_DFL) == signal.SIG_DFL
assert signal.signal(signal.SIGPIPE, signal.SIG_IGN) == signal.SIG_DFL
assert signal.signal(signal.SIGINT, signal.default_int_handler) is signal.default_int_handler
try:
    signal.signal(signal.SIGINT, print)
except ValueError as error:
    assert isinstance(error, uv.UVError) and error.code == uv.StatusCode.EACCES
    print(error)
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
asyncio.run(asyncio.sleep(0.001))
for wrong in 0, 65:
    try:
        signal.signal(wrong, print)
    except ValueError as error:
        print(error)
try:
    signal.signal(signal.SIGKILL, print)
except OSError as error:
    print(error.strerror)
";
    let ended = PYTHON.run(&[], text);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(
        ended.stdout,
        [
            "EACCES: the signal SIGINT was not granted (uv-run --signal int)",
            "signal number out of range",
            "signal number out of range",
            "Invalid argument",
        ]
    );
}

#[test]
fn modules_are_found_beside_the_script_and_in_the_pythonpath() {
    let (dir, more) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let script = dir.path().join("script.py");
    fs::write(&script, "import beside, package.inner, farther\nprint(farther.NAME)\nbeside.fail()\n")
        .unwrap();
    fs::write(dir.path().join("beside.py"), "def fail():\n    raise ValueError('beside')\n").unwrap();
    fs::create_dir(dir.path().join("package")).unwrap();
    fs::write(dir.path().join("package/__init__.py"), "").unwrap();
    fs::write(dir.path().join("package/inner.py"), "").unwrap();
    fs::write(more.path().join("farther.py"), "NAME = 'farther'\n").unwrap();
    let more = more.path().to_str().unwrap();

    let ended = Ended::of(PYTHON.uv_run_script(&["--pythonpath", more], &script));
    assert_eq!((ended.code, &ended.stdout[..]), (1, &["farther".to_owned()][..]), "{ended:?}");
    let stderr = ended.stderr.join("\n");
    let beside = dir.path().canonicalize().unwrap().join("beside.py");
    let expected = format!(
        "Traceback (most recent call last):\n  File \"{}\", line 3, in <module>\n    beside.fail()\n",
        script.display()
    );
    assert!(stderr.starts_with(&expected), "{stderr}");
    assert!(
        stderr.contains(&format!("File \"{}\", line 2, in fail\n    raise ValueError", beside.display())),
        "{stderr}"
    );
    assert!(stderr.ends_with("ValueError: beside"), "{stderr}");

    let ended = Ended::of(PYTHON.uv_run_script(&["--pythonpath", more, "--isolated"], &script));
    assert_eq!(ended.stderr.last().unwrap(), "ModuleNotFoundError: No module named 'beside'");
    let ended = Ended::of(PYTHON.uv_run_script(&[], &script));
    assert_eq!(ended.stderr.last().unwrap(), "ModuleNotFoundError: No module named 'farther'");
}

#[test]
fn a_link_to_a_script_finds_the_modules_beside_the_script() {
    let (dir, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(dir.path().join("script.py"), "import beside\nprint(beside.NAME, __file__)\n").unwrap();
    fs::write(dir.path().join("beside.py"), "NAME = 'beside'\n").unwrap();
    let link = bin.path().join("command.py");
    std::os::unix::fs::symlink(dir.path().join("script.py"), &link).unwrap();
    Ended::of(PYTHON.uv_run_script(&[], &link)).printed(&[&format!("beside {}", link.display())]);
}

/// No more of the script runs: no `finally`, no `except`, no exit function, in callbacks and
/// coroutines too.
#[test]
fn os_exit_is_immediate() {
    let text = "
import asyncio, atexit, contextlib, os, sys, uv
atexit.register(print, 'at exit')

def leave():
    try:
        with contextlib.ExitStack() as stack:
            stack.callback(print, 'stack')
            try:
                os._exit(7)
            except BaseException:
                print('except')
            finally:
                print('finally')
    except BaseException as error:
        print('outer', error)
    print('after')
    while True:
        pass

async def coroutine():
    try:
        await asyncio.sleep(0)
        leave()
    finally:
        print('finally of the coroutine')

print('before')
sys.stdout.write('in a buffer')
";
    for last in [
        "leave()",
        "asyncio.run(coroutine())",
        "uv.Timer().start(1, lambda _: leave())\nuv.Loop.get_current().run()",
        "sorted([1, 2], key=lambda _: leave())",
    ] {
        let ended = PYTHON.run(&["--timeout=20"], format!("{text}{last}\nprint('end')\n"));
        assert_eq!((ended.code, ended.stdout[0].as_str()), (7, "before"), "{last}: {ended:?}");
        assert!(ended.stdout.len() <= 2 && ended.stderr.is_empty(), "{last}: {ended:?}");
    }
}

#[test]
fn a_script_sees_no_files_but_those_that_are_granted() {
    let text = "
import os
print(os.listdir('/'))
try:
    open('/etc/passwd')
except OSError as error:
    print(type(error).__name__)
open('/data/new', 'w').write('new')
";
    let data = tempfile::tempdir().unwrap();
    let ended = PYTHON.run(&["--isolated", &format!("--dir={}::/data", data.path().display())], text);
    // The root itself is not granted, so it cannot be listed; a file elsewhere is not there.
    assert_eq!(ended.code, 1, "{ended:?}");
    let text = text.replace("print(os.listdir('/'))", "");
    PYTHON
        .run(&["--isolated", &format!("--dir={}::/data", data.path().display())], text)
        .printed(&["FileNotFoundError"]);
    assert_eq!(fs::read_to_string(data.path().join("new")).unwrap(), "new");
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
        let ended = Ended::of(in_dir(&root, &["script.py", call]));
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
        let ended = Ended::of(in_dir(other.path(), &[&file, &call]));
        assert!(ended.code == 0 && ended.stdout[0].ends_with(&error), "{call}: {ended:?}");
    }
    // The traceback ends in the script.
    let ended = Ended::of(in_dir(&root, &["-c", "open('/none/x')"]));
    let [.., line, _, last] = &ended.stderr[..] else { panic!("{ended:?}") };
    assert!(line.trim() == "open('/none/x')" && last.starts_with("FileNotFoundError"), "{ended:?}");
}

#[test]
fn exit_codes_are_the_scripts() {
    for (text, code, stderr) in [
        ("", 0, ""),
        ("import sys; sys.exit()", 0, ""),
        ("import sys; sys.exit(7)", 7, ""),
        ("import sys; sys.exit(256 + 3)", 3, ""),
        ("import sys; sys.exit(True)", 1, ""),
        ("import sys; sys.exit('no more')", 1, "no more"),
        ("raise SystemExit(9)", 9, ""),
        ("import uv\nuv.Timer().start(1, lambda _: exit(8))\nuv.Loop.get_current().run()", 8, ""),
        ("import asyncio\nasync def main(): raise SystemExit(6)\nasyncio.run(main())", 6, ""),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt"),
        ("import atexit\natexit.register(print, 'at exit')\nraise SystemExit(5)", 5, ""),
        ("import os; os._exit(0)", 0, ""),
        ("import os; os._exit(7)", 7, ""),
        ("import os; os._exit(256 + 9)", 9, ""),
        ("import os\nos._exit('seven')", 1, "TypeError"),
        (
            "import uv\nuv.Timer().start(1, lambda _: 1 / 0)\nuv.Loop.get_current().run()\nprint('end')",
            1,
            "ZeroDiv",
        ),
        (
            "import uv\nuv.Timer().start(1, lambda _: 1 / 0)\nuv.Loop.get_current().run()\nexit(4)",
            4,
            "ZeroDiv",
        ),
    ] {
        let ended = PYTHON.run(&[], text);
        assert_eq!(ended.code, code, "{text}: {ended:?}");
        assert_eq!(ended.stderr.is_empty(), stderr.is_empty(), "{text}: {ended:?}");
        assert!(ended.stderr.join("\n").contains(stderr), "{text}: {ended:?}");
        assert_eq!(ended.stdout.contains(&"at exit".to_owned()), text.contains("atexit"), "{ended:?}");
    }
}

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

#[test]
fn a_script_that_does_not_end_is_ended_by_the_timeout() {
    for text in [
        "while True: pass",
        "import uv\nuv.Async()\nuv.Loop.get_current().run()",
        "import uv\nuv.Idle().start(lambda _: None)\nuv.Loop.get_current().run()",
    ] {
        let ended = PYTHON.run(&["--timeout=0.3"], format!("print('begins')\n{text}\n"));
        assert_eq!((ended.code, &ended.stdout[..]), (124, &["begins".to_owned()][..]), "{text}: {ended:?}");
        assert_eq!(ended.stderr, ["uv-run: the guest was ended after 0.3 s (--timeout)"], "{text}");
    }
}

#[test]
fn a_script_whose_output_is_not_read_ends_silently() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.py");
    fs::write(&script, "while True: print('y')\n").unwrap();
    let (read, write) = std::io::pipe().unwrap();
    let mut command = PYTHON.uv_run_script(&[], &script);
    command.stdout(write);
    drop(read);
    let ended = Ended::of(command);
    assert_eq!((ended.code, &ended.stderr[..]), (141, &[][..]), "{ended:?}");
}

#[test]
fn the_runtime_is_a_program_too() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("script.py"), "import sys, beside\nprint(sys.argv)\nsys.exit(beside.CODE)\n")
        .unwrap();
    fs::write(dir.path().join("beside.py"), "CODE = 7\n").unwrap();
    let mut command =
        PYTHON.uv_run_script(&[&format!("--dir-ro={}::scripts", dir.path().display())], &PYTHON.runtime());
    command.args(["scripts/script.py", "x"]);
    let ended = Ended::of(command);
    // WASI 0.2 has no other code.
    assert_eq!(
        (ended.code, &ended.stdout[..]),
        (1, &["['scripts/script.py', 'x']".to_owned()][..]),
        "{ended:?}"
    );
    let ended = Ended::of(PYTHON.uv_run_script(&[], &PYTHON.runtime()));
    assert_eq!((ended.code, &ended.stderr[..]), (1, &["usage: SCRIPT.py [ARGS]...".to_owned()][..]));
}
