//! asyncio in scripts under uv-run: Ctrl+C, standard streams, and time.

// Signals interrupt the script.
#![cfg(unix)]

use std::io::Write;
use std::process::Stdio;
use uv_handles_tests::process::Process;
use uv_handles_tests::script::PYTHON;

/// Starts a text as a script.
fn start(options: &[&str], text: &str) -> (Process, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script.py");
    std::fs::write(&script, text).unwrap();
    let mut command = PYTHON.uv_run_script(options, &script);
    command.stdin(Stdio::piped());
    (Process::spawn(command), dir)
}

#[test]
fn ctrl_c_cancels_the_main_task() {
    let text = "
import asyncio

async def main():
    try:
        print('begins')
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        print('cancelled')
        raise
    finally:
        await asyncio.sleep(0.001)
        print('cleaned up')

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print('interrupted')
asyncio.run(main())
";
    let (mut process, _dir) = start(&["--signal=int"], text);
    for line in ["begins", "cancelled", "cleaned up", "interrupted", "begins", "cancelled", "cleaned up"] {
        assert_eq!(process.stdout.next_line().as_deref(), Some(line));
        if line == "begins" {
            process.kill(libc::SIGINT);
        }
    }
    // The second one is not caught.
    assert_eq!(process.exit_code(), 130);
    assert_eq!(process.stderr.all().last().unwrap(), "KeyboardInterrupt");
}

#[test]
fn ctrl_c_that_is_not_granted_is_not_reported() {
    // Every loop asks for it, and goes on without.
    let ended = PYTHON.run(&[], "import asyncio\nasyncio.run(asyncio.sleep(0.001))\nprint('end')\n");
    ended.printed(&["end"]);
    assert!(ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn ctrl_c_with_a_handler_of_the_script() {
    let text = "
import asyncio, signal

async def main():
    loop = asyncio.get_running_loop()
    got = asyncio.Event()
    loop.add_signal_handler(signal.SIGINT, got.set)
    print('begins')
    await got.wait()
    print('handled')
    loop.remove_signal_handler(signal.SIGINT)
    print('again')
    await asyncio.sleep(1000)

asyncio.run(main())
";
    let (mut process, _dir) = start(&["--signal=int"], text);
    for line in ["begins", "handled", "again"] {
        assert_eq!(process.stdout.next_line().as_deref(), Some(line));
        if line != "handled" {
            process.kill(libc::SIGINT);
        }
    }
    assert_eq!(process.exit_code(), 130);
}

/// A handler of `signal.signal` runs between the loop's callbacks. One of the loop takes its place.
#[test]
fn a_signal_with_a_handler_of_the_signal_module() {
    let text = "
import asyncio, signal

async def main():
    loop = asyncio.get_running_loop()
    by_signal, by_loop, again = asyncio.Event(), asyncio.Event(), asyncio.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: (print('signal', number), by_signal.set(), again.set()))
    print('begins')
    await by_signal.wait()
    again.clear()
    loop.add_signal_handler(signal.SIGTERM, lambda: (print('loop'), by_loop.set()))
    print('begins')
    await by_loop.wait()
    loop.remove_signal_handler(signal.SIGTERM)
    print('begins')
    await again.wait()

asyncio.run(main())
print('end')
";
    let (mut process, _dir) = start(&["--signal=int,term"], text);
    for line in ["begins", "signal 15", "begins", "loop", "begins", "signal 15"] {
        assert_eq!(process.stdout.next_line().as_deref(), Some(line));
        if line == "begins" {
            process.kill(libc::SIGTERM);
        }
    }
    assert_eq!(process.exit_code(), 0);
    assert_eq!(process.stdout.all()[6..], ["end"]);
}

#[test]
fn standard_streams_are_streams() {
    let text = "
import asyncio, sys

async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()

asyncio.run(main())
";
    let (mut process, _dir) = start(&["--stdin", "--stdout-as=stdout"], text);
    let mut stdin = process.stdin();
    for word in ["one", "two"] {
        stdin.write_all(format!("{word}\n").as_bytes()).unwrap();
        assert_eq!(process.stdout.next_line(), Some(word.to_uppercase()));
    }
    drop(stdin);
    assert_eq!(process.exit_code(), 0);
}

/// In virtual time, all clocks of a script but the wall clock are one.
#[test]
fn virtual_time_is_pythons_too() {
    let text = "
import asyncio, time, uv

async def main():
    begin = time.monotonic()
    await asyncio.sleep(3600)
    print(round(time.monotonic() - begin), round(asyncio.get_running_loop().time() - begin))
    print(uv.Loop.get_current().now == round(time.monotonic() * 1000))

asyncio.run(main())
";
    PYTHON.run(&["--virtual-time"], text).printed(&["3600 3600", "True"]);
}
