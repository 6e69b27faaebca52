//! Deliveries are counted, not merged: five of a real-time signal are five callbacks.

use uv_handles::{Async, Handle, Loop, Result, RunMode, Signal, Signum};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let signal = Signal::new(&event_loop)?;
    let mut calls = 0;
    signal.start_with(Signum::new(36), move |signal, _| {
        calls += 1;
        println!("{calls}");
        if calls == 5 {
            signal.event_loop().handles().iter().for_each(Handle::close);
        }
    })?;
    // All five are sent while another loop waits: this one finds them together.
    let other = Loop::new()?;
    let go = Async::named(&other, "go")?;
    go.set_callback(|go| go.close());
    println!("ready");
    other.run(RunMode::Default)?;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
