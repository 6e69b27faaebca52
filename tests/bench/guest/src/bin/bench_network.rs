//! The benchmark's work with WASI's pollables and HTTP requests, through the SDK.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::task::{Executor, JoinHandle, http, spawn};
use uv_handles::{Handle, Loop, Poll, PollEvents, Result, RunMode, Timer};
use wasip2::clocks::monotonic_clock::subscribe_duration;

mod bindings {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "guest" });
}

use bindings::uv_handles::bench::control;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let name = args.next().expect("the name of the work");
    let numbers: Vec<u64> = args.map(|arg| arg.parse().expect("a number")).collect();
    match (name.as_str(), &numbers[..]) {
        ("pollables", &[idle, times, timeout]) => pollables(idle, times, timeout),
        ("requests", &[many, at_once]) => requests(many, at_once),
        ("pending-requests", &[many]) => pending(many),
        _ => panic!("no work {name} with {} numbers", numbers.len()),
    }
}

/// A timer, again and again, beside pollables that are not ready.
fn pollables(idle: u64, times: u64, timeout: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    for _ in 0..idle {
        let poll = Poll::on_pollable(&event_loop, subscribe_duration(3_600_000_000_000))?;
        poll.start_with(PollEvents::READABLE, |_, _| ())?;
    }
    let waited = Rc::new(Cell::new(0));
    let (count, owner) = (waited.clone(), event_loop.clone());
    let timer = Timer::new(&event_loop)?;
    timer.start_with(timeout, 0, move |timer| {
        count.set(count.get() + 1);
        if count.get() == times {
            owner.stop();
        } else {
            timer.start(timeout, 0).expect("it is open");
        }
    })?;
    // Before the measurement, so that the host knows all of them.
    event_loop.run(RunMode::NoWait)?;
    control::begin();
    event_loop.run(RunMode::Default)?;
    control::end();
    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()?;
    control::count("operations", waited.get());
    Ok(())
}

/// The server of the measurement.
fn url() -> String {
    std::env::var("BENCH_URL").expect("the benchmark sets it")
}

async fn get(url: &str) -> u64 {
    let mut response = http::get(url).await.expect("the server answers");
    response.bytes(1_000).await.expect("the body is short").len() as u64
}

/// Many requests, this many of them at a time.
fn requests(many: u64, at_once: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    control::begin();
    let bytes = Executor::new(&event_loop).block_on(async move {
        let client = |_| {
            spawn(async move {
                let (url, mut bytes) = (url(), 0);
                for _ in 0..many / at_once {
                    bytes += get(&url).await;
                }
                bytes
            })
        };
        let clients = (0..at_once).map(client).collect::<Result<Vec<JoinHandle<u64>>>>()?;
        let mut bytes = 0;
        for client in clients {
            bytes += client.await?;
        }
        Ok::<_, uv_handles::Error>(bytes)
    })??;
    control::end();
    control::count("operations", many);
    control::count("bytes", bytes);
    Ok(())
}

/// Many requests that are pending at the same time. The server answers the first one for `/now` when it
/// has all, and the others after the second one for `/now`.
fn pending(many: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    let bytes = Executor::new(&event_loop).block_on(async move {
        let mut bytes = get(&url()).await;
        control::memory("before");
        let client = |_| spawn(async { get(&url()).await });
        let clients = (0..many).map(client).collect::<Result<Vec<JoinHandle<u64>>>>()?;
        let now = url() + "now";
        bytes += get(&now).await;
        control::memory("after");
        bytes += get(&now).await;
        for client in clients {
            bytes += client.await?;
        }
        Ok::<_, uv_handles::Error>(bytes)
    })??;
    control::count("operations", many);
    control::count("bytes", bytes);
    Ok(())
}
