//! A one-shot watch is over after one call, and later signals are not for it, until it is started
//! again. The second time it closes itself in its callback.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Async, Handle, Loop, Result, RunMode, Signal, Signum};

pub fn main() -> Result<()> {
    let signum = Signum::new(41);
    let (event_loop, control) = (Loop::new()?, Loop::new()?);
    let go = Async::named(&control, "go")?;
    let calls = Rc::new(Cell::new(0));
    let signal = Signal::new(&event_loop)?;
    signal.start_oneshot_with(signum, {
        let calls = calls.clone();
        move |signal, _| {
            calls.set(calls.get() + 1);
            if calls.get() == 2 {
                signal.close();
            }
        }
    })?;
    println!("started");
    assert!(!event_loop.run(RunMode::Default)?, "it has been stopped, so nothing is alive");
    assert_eq!((calls.get(), signal.is_active(), signal.signum()), (1, false, Ok(None)));

    println!("over");
    control.run(RunMode::Once)?;
    assert!(!event_loop.run(RunMode::NoWait)?);
    assert_eq!(calls.get(), 1);

    signal.start_oneshot(signum)?;
    println!("started");
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(calls.get(), 2);
    assert!(signal.is_closed());
    event_loop.close()?;
    go.close();
    control.run(RunMode::Default)?;
    control.close()
}
