//! Functions of scripts in JavaScript, called by an embedder: `uv:scripts/scripts.call`.

use std::time::{SystemTime, UNIX_EPOCH};
use uv_handles_host::AsyncSender;
use uv_handles_tests::script::JAVASCRIPT;

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
    assert_eq!(JAVASCRIPT.call(source, "add", "[1, 2]").unwrap(), r#"{"sum":3,"text":"ü"}"#);
    assert_eq!(JAVASCRIPT.call(source, "later", "[1]").unwrap(), "[1,null,true]");
    assert_eq!(JAVASCRIPT.call(source, "nothing", "[]").unwrap(), "null");
    assert_eq!(JAVASCRIPT.call(source, "default", "[\"you\"]").unwrap(), "\"hello you\"");
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
    let raised = JAVASCRIPT.call(source, "refuse", "[]").unwrap_err();
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
        let raised = JAVASCRIPT.call(source, function, "[]").unwrap_err();
        assert_eq!(raised.kind, kind, "{raised:?}");
        assert!(raised.message.contains(message), "{raised:?}");
    }
    assert_eq!(JAVASCRIPT.call("export function f(", "f", "[]").unwrap_err().kind, "SyntaxError");
    assert_eq!(JAVASCRIPT.call("export function f() {}", "f", "[").unwrap_err().kind, "SyntaxError");
}

#[test]
fn what_is_printed_is_written() {
    let source = "export function f() { process.stdout.write('printed') }";
    let (result, printed) = JAVASCRIPT.call_with(source, "f", "[]", |_| {});
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
        let (result, _) = JAVASCRIPT.call_with(source, "main", "[]", |uv| {
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

/// Instances begin with one image of the memory, in which these would be the same.
#[test]
fn instances_have_clocks_and_random_numbers_of_their_own() {
    let text = "export const made = () => [Math.random(), Math.random(), performance.timeOrigin];";
    let made = || -> Vec<f64> {
        let result = JAVASCRIPT.call(text, "made", "[]").unwrap();
        result.trim_matches(['[', ']']).split(',').map(|number| number.parse().unwrap()).collect()
    };
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1e3;
    let before = now();
    let (one, other) = (made(), made());
    let mut numbers = [one[0], one[1], other[0], other[1]];
    numbers.sort_by(f64::total_cmp);
    assert!(numbers.windows(2).all(|pair| pair[0] != pair[1]), "{numbers:?}");
    assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)), "{numbers:?}");
    for origin in [one[2], other[2]] {
        assert!((before - 2.0..now() + 2.0).contains(&origin), "{origin} is not near {before}");
    }
}
