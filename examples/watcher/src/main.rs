//! Asks a list of URLs at intervals, and prints what has changed.
//!
//! A task for each URL sends its requests, by wasi:http, beside the timers and signals of the same loop.
//! A request that takes too long is cancelled. After a failure the wait is doubled, up to a minute,
//! until the URL answers again. SIGTERM ends the program, where the host grants it.
//!
//! Environment variables: WATCHER_EVERY_MS (10,000) and WATCHER_TIMEOUT_MS (5,000).

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use uv_handles::task::http::{self, HttpError};
use uv_handles::task::{Executor, Signals, current_loop, sleep, spawn, timeout};
use uv_handles::{Error, Loop, Result, Signum, StatusCode};

/// The longest wait after a failure.
const LONGEST: Duration = Duration::from_secs(60);

/// The longest body that is looked at.
const MOST: usize = 1 << 20;

fn main() -> Result<()> {
    let urls: Vec<String> = std::env::args().skip(1).collect();
    if urls.is_empty() {
        eprintln!("usage: watcher URL...");
        std::process::exit(2);
    }
    let (every, limit) = (duration("WATCHER_EVERY_MS", 10_000), duration("WATCHER_TIMEOUT_MS", 5_000));
    let event_loop = Loop::new()?;
    Executor::new(&event_loop).block_on(async move {
        for url in urls {
            spawn(watch(url, every, limit))?.detach();
        }
        ended(&current_loop()).await
    })?
}

/// Waits for SIGTERM; for ever, if the host does not grant it.
async fn ended(event_loop: &Loop) -> Result<()> {
    match Signals::new(event_loop, Signum::SIGTERM) {
        Ok(mut term) => {
            term.recv().await;
            println!("ended");
            Ok(())
        }
        Err(error) if matches!(error.code(), Some(StatusCode::EACCES | StatusCode::ENOSYS)) => loop {
            sleep(LONGEST).await?;
        },
        Err(error) => Err(error),
    }
}

fn duration(name: &str, default: u64) -> Duration {
    let set = std::env::var(name).ok().map(|text| {
        text.parse().unwrap_or_else(|_| {
            eprintln!("{name} is not a number of milliseconds: {text:?}");
            std::process::exit(2);
        })
    });
    Duration::from_millis(set.unwrap_or(default))
}

/// The state of a URL, as of the last request.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// Its status, and the length and hash of its body.
    Answer(u16, usize, u64),
    Failure(String),
}

/// Asks one URL for as long as the program runs.
async fn watch(url: String, every: Duration, limit: Duration) -> Result<()> {
    let (mut last, mut wait) = (None, every);
    loop {
        let seen = match timeout(limit, ask(&url)).await {
            Ok(Ok(seen)) => seen,
            Ok(Err(error)) => Seen::Failure(error.to_string()),
            Err(Error::Status(StatusCode::ETIMEDOUT)) => {
                Seen::Failure(format!("{url}: no answer within {} ms", limit.as_millis()))
            }
            Err(error) => return Err(error),
        };
        wait = match &seen {
            Seen::Answer(..) => every,
            Seen::Failure(_) => (wait * 2).min(LONGEST.max(every)),
        };
        if last.as_ref() != Some(&seen) {
            tell(&url, &last, &seen);
            last = Some(seen);
        }
        sleep(wait).await?;
    }
}

async fn ask(url: &str) -> Result<Seen, HttpError> {
    let mut response = http::get(url).await?;
    let body = response.bytes(MOST).await?;
    let mut hash = DefaultHasher::new();
    body.hash(&mut hash);
    Ok(Seen::Answer(response.status(), body.len(), hash.finish()))
}

fn tell(url: &str, last: &Option<Seen>, seen: &Seen) {
    match (last, seen) {
        (_, Seen::Failure(failure)) => println!("failed: {failure}"),
        (None, Seen::Answer(status, length, _)) => println!("{url}: {status}, {length} bytes"),
        (Some(Seen::Failure(_)), Seen::Answer(status, length, _)) => {
            println!("recovered: {url}: {status}, {length} bytes");
        }
        (Some(Seen::Answer(..)), Seen::Answer(status, length, _)) => {
            println!("changed: {url}: {status}, {length} bytes");
        }
    }
}
