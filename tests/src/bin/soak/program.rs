//! The soak: guests that open, close, trap and start again, for as long as requested, with sockets,
//! signals and async handles under load, and a well-behaved guest beside them. It prints one line
//! of JSON for each sample of the process's resources. `cargo xtask soak` runs it, judges the
//! samples and draws them.
//!
//! ```text
//! soak SECONDS [MILLISECONDS BETWEEN SAMPLES]
//! soak plugins COUNT SECONDS [MILLISECONDS BETWEEN SAMPLES]
//! ```
//!
//! The second form runs COUNT plugins at a time on one runtime instead.

mod lives;
mod neighbour;
mod plugins;
mod sample;

use lives::Lives;
use neighbour::Neighbour;
use sample::Sample;
use std::time::{Duration, Instant};

/// The program.
pub fn main() {
    let mut args = std::env::args().skip(1).peekable();
    let of_plugins = args.next_if(|arg| arg == "plugins").is_some();
    let mut args = args.map(|arg| arg.parse::<u64>().expect("a number"));
    let plugins = if of_plugins { args.next() } else { None };
    let length = Duration::from_secs(args.next().expect("for how many seconds"));
    let interval = Duration::from_millis(args.next().unwrap_or(1_000));

    if let Some(count) = plugins {
        return plugins::run(count, length, interval).expect("all plugins live as long as the soak");
    }
    let neighbour = Neighbour::start();
    let lives = Lives::start();
    let begin = Instant::now();
    let mut next = begin;
    while begin.elapsed() < length {
        next += interval;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        println!("{}", Sample::take(begin, lives.lived(), neighbour.worst_lateness()));
    }
    lives.end();
    neighbour.end();
}
