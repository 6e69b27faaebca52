//! Watches the signal of its argument until it comes twice, or once if there is a second argument.

use uv_handles::{Handle, Loop, Result, RunMode, Signal, Signum};

pub fn main() -> Result<()> {
    let mut args = uv_handles_test_guests::args();
    let signum = Signum::new(args.next().expect("a signal's number").parse().expect("a number"));
    let mut left = if args.next().is_some() { 1 } else { 2 };
    let event_loop = Loop::new()?;
    let signal = Signal::new(&event_loop)?;
    signal.start_with(signum, move |signal, _| {
        println!("called");
        left -= 1;
        if left == 0 {
            signal.close();
        }
    })?;
    println!("ready");
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
