//! Never ends, in the way that its argument says: it computes, waits in its loop, or sleeps in WASI.

use std::hint::black_box;
use std::time::Duration;
use uv_handles::{Async, Loop, Result, RunMode};

pub fn main() -> Result<()> {
    let way = uv_handles_test_guests::args().next();
    println!("begins");
    match way.as_deref() {
        Some("computes") => {
            let mut count = 0u64;
            while black_box(true) {
                count = black_box(count.wrapping_add(1));
            }
        }
        Some("waits") => {
            let event_loop = Loop::new()?;
            let _never_sent = Async::new(&event_loop)?;
            event_loop.run(RunMode::Default)?;
        }
        Some("sleeps") => std::thread::sleep(Duration::from_secs(24 * 60 * 60)),
        other => panic!("there is no way {other:?}"),
    }
    println!("ended");
    Ok(())
}
