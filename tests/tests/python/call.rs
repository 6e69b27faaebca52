//! Functions of scripts, called by an embedder: `uv:scripts/scripts.call`.

use uv_handles_host::AsyncSender;
use uv_handles_tests::script::PYTHON;

#[test]
fn results_are_json() {
    let source = "
import asyncio

def add(one, two):
    return {'sum': one + two, 'text': 'ü'}

async def later(seconds):
    await asyncio.sleep(seconds)
    return [seconds, None, True]
";
    assert_eq!(PYTHON.call(source, "add", "[1, 2]").unwrap(), r#"{"sum": 3, "text": "\u00fc"}"#);
    assert_eq!(PYTHON.call(source, "later", "[0.001]").unwrap(), "[0.001, null, true]");
}

#[test]
fn exceptions_are_values() {
    let source = "
import asyncio, os, sys

class Refused(Exception):
    pass

async def refuse():
    await asyncio.sleep(0.001)
    raise Refused('not today')

async def leave():
    sys.exit(3)

def leave_at_once():
    os._exit(4)

async def unfit():
    return object()

async def denied():
    await asyncio.open_connection('nowhere')
";
    let raised = PYTHON.call(source, "refuse", "[]").unwrap_err();
    assert_eq!((raised.kind.as_str(), raised.message.as_str()), ("Refused", "not today"));
    assert!(raised.traceback.contains("script.py\", line 9, in refuse"), "{raised:?}");
    assert!(!raised.traceback.contains("uv_runtime"), "{raised:?}");
    for (function, kind, message) in [
        ("leave", "SystemExit", "3"),
        ("leave_at_once", "SystemExit", "4"),
        ("unfit", "TypeError", "not JSON serializable"),
        ("missing", "AttributeError", "missing"),
        ("denied", "uv.UVError", "ENOENT"),
    ] {
        let raised = PYTHON.call(source, function, "[]").unwrap_err();
        assert_eq!(raised.kind, kind, "{raised:?}");
        assert!(raised.message.contains(message), "{raised:?}");
    }
    assert_eq!(PYTHON.call("def f(:", "f", "[]").unwrap_err().kind, "SyntaxError");
    assert_eq!(PYTHON.call("def f(): pass", "f", "[").unwrap_err().kind, "json.decoder.JSONDecodeError");
    assert_eq!(PYTHON.call("def f(): pass", "f", "[1]").unwrap_err().kind, "TypeError");
}

#[test]
fn what_is_printed_is_written() {
    let (result, printed) = PYTHON.call_with("def f(): print('printed', end='')", "f", "[]", |_| {});
    assert_eq!((result.unwrap().as_str(), printed.as_str()), ("null", "printed"));
}

/// The main guard is for scripts that are run.
#[test]
fn a_script_that_is_called_is_not_the_main_module() {
    let source = "
def name():
    return __name__

if __name__ == '__main__':
    raise ValueError
";
    assert_eq!(PYTHON.call(source, "name", "[]").unwrap(), "\"__script__\"");
}

#[test]
fn messages_of_the_host_are_awaited() {
    let source = "
import asyncio, uv

async def main():
    jobs = uv.Async.named('jobs')
    print('ready', flush=True)
    messages = [(await jobs.message()).decode() for _ in range(3)]
    jobs.close()
    return messages
";
    let mut sender: Option<AsyncSender> = None;
    std::thread::scope(|scope| {
        let (result, _) = PYTHON.call_with(source, "main", "[]", |uv| {
            let sender = sender.insert(uv.async_sender("jobs")).clone();
            scope.spawn(move || {
                while !sender.is_open() {
                    std::thread::yield_now();
                }
                for message in ["one", "two", "three"] {
                    sender.send_message(message).unwrap();
                }
            });
        });
        assert_eq!(result.unwrap(), r#"["one", "two", "three"]"#);
    });
}

/// Otherwise a loop would turn until the time has really passed.
#[test]
fn virtual_time_without_wasis_clock_is_an_error() {
    let source = "
import asyncio

async def main():
    await asyncio.sleep(3600)
";
    let raised = PYTHON.call_with(source, "main", "[]", |uv| {
        uv.virtual_time(true);
    });
    let raised = raised.0.unwrap_err();
    assert_eq!(raised.kind, "RuntimeError");
    assert!(raised.message.contains("WASI's monotonic clock"), "{raised:?}");
}
