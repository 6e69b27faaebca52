//! Lasting and one-shot watches of one signal beside each other, some of which are closed before it
//! comes. The arguments say which, in order of making; each call prints the place in that order.

use std::cell::Cell;
use uv_handles::{Handle, Loop, Result, RunMode, Signal, Signum};

pub fn main() -> Result<()> {
    let signum = Signum::new(42);
    let event_loop = Loop::new()?;
    let mut closed = Vec::new();
    for (n, kind) in uv_handles_test_guests::args().enumerate() {
        let signal = Signal::new(&event_loop)?;
        match kind.trim_end_matches(", closed") {
            "one-shot" => signal.start_oneshot_with(signum, move |signal, _| {
                println!("{n}");
                signal.close();
            })?,
            _ => {
                let calls = Cell::new(0);
                signal.start_with(signum, move |signal, _| {
                    println!("{n}");
                    calls.set(calls.get() + 1);
                    if calls.get() == 3 {
                        signal.close();
                    }
                })?;
            }
        }
        if kind.ends_with("closed") {
            closed.push(signal);
        }
    }
    closed.iter().for_each(Handle::close);
    println!("ready");
    assert!(!event_loop.run(RunMode::Default)?);
    println!("end");
    event_loop.close()
}
