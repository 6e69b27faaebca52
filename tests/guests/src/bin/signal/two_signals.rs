//! Two signals, two handles for each: every handle is called for each delivery of its own signal,
//! and for no other.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Handle, Loop, Result, RunMode, Signal, Signum};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let mut counts = Vec::new();
    for number in [39, 39, 40, 40] {
        let signal = Signal::new(&event_loop)?;
        let calls = Rc::new(Cell::new(0));
        counts.push(calls.clone());
        signal.start_with(Signum::new(number), move |signal, signum| {
            assert_eq!(signum.number(), number);
            calls.set(calls.get() + 1);
            if calls.get() == 10 {
                signal.close();
            }
        })?;
    }
    println!("ready");
    assert!(!event_loop.run(RunMode::Default)?);
    assert!(counts.iter().all(|calls| calls.get() == 10), "{counts:?}");
    event_loop.close()
}
