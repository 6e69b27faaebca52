//! The same work with wstd, each timer in a task of its own.

mod bindings {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "with-wstd", generate_all });
}

use bindings::uv_handles::bench::control;
use std::cell::Cell;
use std::rc::Rc;
use wstd::http::body::Bytes;
use wstd::http::body::util::Empty;
use wstd::http::{Body, Client, Request};
use wstd::runtime::{block_on, spawn};
use wstd::time::{Duration, Timer};

fn main() {
    let mut args = std::env::args().skip(1);
    let name = args.next().expect("the name of the work");
    let numbers: Vec<u64> = args.map(|arg| arg.parse().expect("a number")).collect();
    match (name.as_str(), &numbers[..]) {
        ("spread-timers", &[many, times]) => spread_timers(many, times),
        ("requests", &[many, at_once]) => requests(many, at_once),
        ("pending-requests", &[many]) => pending(many),
        _ => panic!("no work {name} with {} numbers", numbers.len()),
    }
}

/// Many timers within 100 ms.
fn spread_timers(many: u64, times: u64) {
    let fired = Rc::new(Cell::new(0));
    let mut closed = 0;
    control::begin();
    for _ in 0..times {
        block_on(async {
            let timer = |at: u64| {
                let fired = fired.clone();
                spawn(async move {
                    Timer::after(Duration::from_millis(at % 100 + 1)).wait().await;
                    fired.set(fired.get() + 1);
                })
            };
            let tasks: Vec<_> = (0..many).map(timer).collect();
            for task in tasks {
                task.await;
                closed += 1;
            }
        });
    }
    control::end();
    control::count("operations", many * times);
    control::count("fired", fired.get());
    control::count("closed", closed);
}

/// Sends a request to the server of the measurement.
///
/// `Body::empty` would be written, as no bytes. The host closes the stream of a GET's body as soon as it has
/// sent the head, so that this write fails when several requests run at once.
async fn get(url: &str) -> u64 {
    let body = Body::from_http_body(Empty::<Bytes>::new());
    let request = Request::get(url).body(body).expect("it is valid");
    let response = Client::new().send(request).await.expect("the server answers");
    let mut body = response.into_body();
    body.contents().await.expect("the body comes").len() as u64
}

fn url() -> String {
    std::env::var("BENCH_URL").expect("the benchmark sets it")
}

/// Many requests, this many of them at a time.
fn requests(many: u64, at_once: u64) {
    let mut bytes = 0;
    control::begin();
    block_on(async {
        let client = |_| {
            spawn(async move {
                let (url, mut bytes) = (url(), 0);
                for _ in 0..many / at_once {
                    bytes += get(&url).await;
                }
                bytes
            })
        };
        let clients: Vec<_> = (0..at_once).map(client).collect();
        for client in clients {
            bytes += client.await;
        }
    });
    control::end();
    control::count("operations", many);
    control::count("bytes", bytes);
}

/// Many requests that are pending at the same time. The server answers the first one for `/now` when it
/// has all, and the others after the second one for `/now`.
fn pending(many: u64) {
    let mut bytes = 0;
    block_on(async {
        bytes += get(&url()).await;
        control::memory("before");
        let clients: Vec<_> = (0..many).map(|_| spawn(async { get(&url()).await })).collect();
        let now = url() + "now";
        bytes += get(&now).await;
        control::memory("after");
        bytes += get(&now).await;
        for client in clients {
            bytes += client.await;
        }
    });
    control::count("operations", many);
    control::count("bytes", bytes);
}
