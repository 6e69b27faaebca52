//! Functions of scripts in JavaScript, called by an embedder: `uv:scripts/scripts.call`.

use std::sync::LazyLock;
use uv_handles_host::{AsyncSender, UvCtx, UvCtxBuilder};
use uv_handles_tests::javascript::runtime;
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
struct JavaScript {
    engine: Engine,
    instance: InstancePre<State>,
    call: ComponentExportIndex,
}

static JAVASCRIPT: LazyLock<JavaScript> = LazyLock::new(|| {
    let mut config = Config::new();
    config.concurrency_support(false);
    config.cache(Some(Cache::from_file(None).unwrap()));
    let engine = Engine::new(&config).unwrap();
    let component = Component::from_file(&engine, runtime()).unwrap();
    let scripts = component.get_export_index(None, "uv:scripts/scripts@0.1.0").unwrap();
    let call = component.get_export_index(Some(&scripts), "call").unwrap();
    let instance = linker(&engine).unwrap().instantiate_pre(&component).unwrap();
    JavaScript { engine, instance, call }
});

/// Calls a function in a fresh instance. Returns its result, and what it printed.
fn call_with(
    source: &str,
    function: &str,
    arguments: &str,
    grant: impl FnOnce(&mut UvCtxBuilder),
) -> (Result<String, Raised>, String) {
    let runtime = &*JAVASCRIPT;
    let mut uv = UvCtx::builder();
    grant(&mut uv);
    let stdout = MemoryOutputPipe::new(4096);
    let wasi = WasiCtx::builder().stdout(stdout.clone()).build();
    let mut store = Store::new(&runtime.engine, State::new(uv.build(), wasi));
    let instance = runtime.instance.instantiate(&mut store).unwrap();
    type Params<'a> = (&'a str, &'a [u8], &'a [String], &'a str, &'a str);
    let call =
        instance.get_typed_func::<Params<'_>, (Result<String, Raised>,)>(&mut store, runtime.call).unwrap();
    let params = ("script.js", source.as_bytes(), &[][..], function, arguments);
    let (result,) = call.call(&mut store, params).unwrap();
    (result, String::from_utf8(stdout.contents().to_vec()).unwrap())
}

fn call(source: &str, function: &str, arguments: &str) -> Result<String, Raised> {
    call_with(source, function, arguments, |_| {}).0
}

#[test]
fn results_are_json() {
    let source = "
export const add = (one, two) => ({ sum: one + two, text: 'ü' });
export async function later(milliseconds) {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return [milliseconds, null, true];
}
export function nothing() {}
export default (name) => `hello ${name}`;
";
    assert_eq!(call(source, "add", "[1, 2]").unwrap(), r#"{"sum":3,"text":"ü"}"#);
    assert_eq!(call(source, "later", "[1]").unwrap(), "[1,null,true]");
    assert_eq!(call(source, "nothing", "[]").unwrap(), "null");
    assert_eq!(call(source, "default", "[\"you\"]").unwrap(), "\"hello you\"");
}

#[test]
fn exceptions_are_values() {
    let source = "
class Refused extends Error { name = 'Refused' }
export async function refuse() {
  await null;
  throw new Refused('not today');
}
export function leave() { process.exit(3) }
export async function unfit() { return 1n }
export function never() { return new Promise(() => {}) }
export function later() { setTimeout(() => { throw new RangeError('later') }, 1); return new Promise(() => {}) }
export function text() { throw 'just a text' }
";
    let raised = call(source, "refuse", "[]").unwrap_err();
    assert_eq!((raised.kind.as_str(), raised.message.as_str()), ("Refused", "not today"));
    assert!(raised.traceback.contains("at refuse (script.js:5:"), "{raised:?}");
    assert!(!raised.traceback.contains("runtime:"), "{raised:?}");
    for (function, kind, message) in [
        ("leave", "SystemExit", "3"),
        ("unfit", "TypeError", ""),
        ("never", "Error", "never settles"),
        ("later", "RangeError", "later"),
        ("text", "string", "just a text"),
        ("missing", "TypeError", "missing is not a function that the script exports"),
    ] {
        let raised = call(source, function, "[]").unwrap_err();
        assert_eq!(raised.kind, kind, "{raised:?}");
        assert!(raised.message.contains(message), "{raised:?}");
    }
    assert_eq!(call("export function f(", "f", "[]").unwrap_err().kind, "SyntaxError");
    assert_eq!(call("export function f() {}", "f", "[").unwrap_err().kind, "SyntaxError");
}

#[test]
fn what_is_printed_is_written() {
    let source = "export function f() { process.stdout.write('printed') }";
    let (result, printed) = call_with(source, "f", "[]", |_| {});
    assert_eq!((result.unwrap().as_str(), printed.as_str()), ("null", "printed"));
}

#[test]
fn messages_of_the_host_are_awaited() {
    let source = "
import uv from 'uv';
export async function main() {
  const jobs = new uv.Async({ name: 'jobs' });
  const messages = [];
  for await (const message of jobs) {
    messages.push(new TextDecoder().decode(message));
    if (messages.length === 3) break;
  }
  jobs.close();
  return messages;
}
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
        assert_eq!(result.unwrap(), r#"["one","two","three"]"#);
    });
}
