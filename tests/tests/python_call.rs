//! Functions of scripts, called by an embedder: `uv:scripts/scripts.call`.

use std::sync::LazyLock;
use uv_handles_host::{AsyncSender, UvCtx, UvCtxBuilder};
use uv_handles_tests::python::runtime;
use uv_handles_tests::{State, linker};
use wasmtime::component::{Component, ComponentExportIndex, ComponentType, InstancePre, Lift};
use wasmtime::{Cache, Config, Engine, Store};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

/// The record of the runtime's WIT.
#[derive(Debug, PartialEq, ComponentType, Lift)]
#[component(record)]
struct Raised {
    kind: String,
    message: String,
    traceback: String,
}

/// The runtime, compiled once.
struct Python {
    engine: Engine,
    instance: InstancePre<State>,
    call: ComponentExportIndex,
}

static PYTHON: LazyLock<Python> = LazyLock::new(|| {
    let mut config = Config::new();
    config.concurrency_support(false);
    config.cache(Some(Cache::from_file(None).unwrap()));
    let engine = Engine::new(&config).unwrap();
    let component = Component::from_file(&engine, runtime()).unwrap();
    let scripts = component.get_export_index(None, "uv:scripts/scripts@0.1.0").unwrap();
    let call = component.get_export_index(Some(&scripts), "call").unwrap();
    let instance = linker(&engine).unwrap().instantiate_pre(&component).unwrap();
    Python { engine, instance, call }
});

/// Calls a function in a fresh instance. Returns its result, and what it printed.
fn call_with(
    source: &str,
    function: &str,
    arguments: &str,
    grant: impl FnOnce(&mut UvCtxBuilder),
) -> (Result<String, Raised>, String) {
    let python = &*PYTHON;
    let mut uv = UvCtx::builder();
    grant(&mut uv);
    let stdout = MemoryOutputPipe::new(4096);
    let wasi = WasiCtx::builder().stdout(stdout.clone()).build();
    let mut store = Store::new(&python.engine, State::new(uv.build(), wasi));
    let instance = python.instance.instantiate(&mut store).unwrap();
    type Params<'a> = (&'a str, &'a [u8], &'a [String], &'a str, &'a str);
    let call =
        instance.get_typed_func::<Params<'_>, (Result<String, Raised>,)>(&mut store, python.call).unwrap();
    let params = ("script.py", source.as_bytes(), &[][..], function, arguments);
    let (result,) = call.call(&mut store, params).unwrap();
    (result, String::from_utf8(stdout.contents().to_vec()).unwrap())
}

fn call(source: &str, function: &str, arguments: &str) -> Result<String, Raised> {
    call_with(source, function, arguments, |_| {}).0
}

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
    assert_eq!(call(source, "add", "[1, 2]").unwrap(), r#"{"sum": 3, "text": "\u00fc"}"#);
    assert_eq!(call(source, "later", "[0.001]").unwrap(), "[0.001, null, true]");
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
    let raised = call(source, "refuse", "[]").unwrap_err();
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
        let raised = call(source, function, "[]").unwrap_err();
        assert_eq!(raised.kind, kind, "{raised:?}");
        assert!(raised.message.contains(message), "{raised:?}");
    }
    assert_eq!(call("def f(:", "f", "[]").unwrap_err().kind, "SyntaxError");
    assert_eq!(call("def f(): pass", "f", "[").unwrap_err().kind, "json.decoder.JSONDecodeError");
    assert_eq!(call("def f(): pass", "f", "[1]").unwrap_err().kind, "TypeError");
}

#[test]
fn what_is_printed_is_written() {
    let (result, printed) = call_with("def f(): print('printed', end='')", "f", "[]", |_| {});
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
    assert_eq!(call(source, "name", "[]").unwrap(), "\"__script__\"");
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
        let (result, _) = call_with(source, "main", "[]", |uv| {
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
    let raised = call_with(source, "main", "[]", |uv| {
        uv.virtual_time(true);
    });
    let raised = raised.0.unwrap_err();
    assert_eq!(raised.kind, "RuntimeError");
    assert!(raised.message.contains("WASI's monotonic clock"), "{raised:?}");
}
