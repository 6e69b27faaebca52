//! 100,000 sends before a run, 100,000 in callbacks, and 100,000 of the host's meanwhile.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Async, Handle, Loop, Result, RunMode};

const SENDS: u32 = 100_000;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let calls = Rc::new(Cell::new(0));
    let handle = Async::new(&event_loop)?;
    handle.set_callback({
        let calls = calls.clone();
        move |_| calls.set(calls.get() + 1)
    });
    for _ in 0..SENDS {
        handle.send()?;
    }
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(calls.take(), 1, "sends before the callback are one");
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(calls.take(), 0);

    handle.set_callback({
        let calls = calls.clone();
        move |handle| {
            calls.set(calls.get() + 1);
            if calls.get() < SENDS {
                handle.send().unwrap();
            } else {
                handle.close();
            }
        }
    });
    handle.send()?;
    let named = Async::named(&event_loop, "wake")?;
    let woken = Rc::new(Cell::new(0));
    named.set_callback({
        let woken = woken.clone();
        move |_| woken.set(woken.get() + 1)
    });
    let last = Async::named(&event_loop, "last")?;
    last.set_callback(move |last| {
        last.close();
        named.close();
    });
    println!("sending");
    event_loop.run(RunMode::Default)?;
    assert_eq!(calls.get(), SENDS, "a send in the callback causes another one");
    assert!((1..=SENDS).contains(&woken.get()), "{} callbacks", woken.get());
    event_loop.close()
}
