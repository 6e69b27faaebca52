//! Every run refreshes the loop's time, also one that has nothing to do and does not wait.

use uv_handles::{Loop, Result, RunMode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    for mode in [RunMode::NoWait, RunMode::Once, RunMode::Default] {
        let begin = event_loop.now()?;
        let mut before = begin;
        // It would never end if the time stood still.
        while event_loop.now()? - begin < 10 {
            assert!(!event_loop.run(mode)?);
            assert!(event_loop.now()? >= before);
            before = event_loop.now()?;
        }
    }
    event_loop.close()
}
