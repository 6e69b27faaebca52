//! Signals of Python scripts: Ctrl+C, handlers, and inherited ignored signals.

// FIFOs, Unix sockets and signals.
#![cfg(unix)]

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use uv_handles_tests::process::{Process, in_shell};
use uv_handles_tests::script::PYTHON;

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
