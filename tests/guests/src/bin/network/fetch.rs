//! Fetches each URL of the arguments, with a time-out, and prints what comes of it.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::task::http::{HttpError, Request};
use uv_handles::task::{Executor, timeout};
use uv_handles::{Handle, Loop, Result, Timer};

/// The time that each may take.
const LIMIT: u64 = 400;

async fn fetch(url: &str) -> Result<String, HttpError> {
    let (method, url) = url.split_once(' ').unwrap_or(("GET", url));
    let mut request = Request::new(method, url);
    if method == "POST" {
        request = request.header("x-test", "a").body(vec![b'a'; 1 << 20]);
    }
    let mut response = request.send().await?;
    let place = response.header("location").map(str::to_owned).unwrap_or_default();
    let body = response.text(1 << 16).await?;
    let status = response.status();
    Ok([status.to_string(), place, body]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" "))
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let ticks = Rc::new(Cell::new(0));
    let (timer, counts) = (Timer::new(&event_loop)?, ticks.clone());
    timer.start_with(1, 1, move |_| counts.set(counts.get() + 1))?;
    let urls: Vec<String> = uv_handles_test_guests::args().collect();
    Executor::new(&event_loop).block_on(async move {
        for url in urls {
            let before = ticks.get();
            match timeout(LIMIT, fetch(&url)).await {
                Ok(Ok(answer)) => println!("{answer}"),
                Ok(Err(error)) => println!("error: {error}"),
                Err(error) => {
                    assert!(ticks.get() > before, "the loop goes on meanwhile");
                    println!("{error}");
                }
            }
        }
    })?;
    timer.close();
    event_loop.run(uv_handles::RunMode::Default)?;
    assert!(event_loop.handles().is_empty());
    event_loop.close()
}
