//! A loop that is driven from outside: somebody else waits as long as it says, and runs it without
//! waiting. Here that is another loop. A loop with a wake-up from the host is run iteration by
//! iteration, until it is not alive.

use std::cell::Cell;
use uv_handles::{Async, Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::Trace;

pub fn main() -> Result<()> {
    let (outer, inner) = (Loop::new()?, Loop::new()?);
    let begin = inner.now()?;
    let trace = Trace::new();
    for (name, repeat, calls) in [("a", 30, 3), ("b", 45, 2)] {
        let timer = Timer::new(&inner)?;
        let (trace, left) = (trace.clone(), Cell::new(calls));
        timer.start_with(repeat, repeat, move |timer| {
            trace.add(format!("{name}{}", timer.event_loop().now().unwrap() - begin));
            left.set(left.get() - 1);
            if left.get() == 0 {
                timer.close();
            }
        })?;
    }
    let wait = Timer::new(&outer)?;
    let mut waits = Vec::new();
    while inner.is_alive() {
        let timeout = inner.poll_timeout()?.expect("it has timers");
        if timeout > 0 {
            waits.push(timeout);
            wait.start(u64::from(timeout), 0)?;
            outer.run(RunMode::Once)?;
        }
        inner.run(RunMode::NoWait)?;
    }
    assert_eq!(trace.take(), "a30 b45 a60 b90 a90");
    assert_eq!(waits, [30, 15, 15, 30]);

    let wake_up = Async::named(&inner, "wake-up")?;
    wake_up.set_callback(Async::close);
    println!("waiting");
    while inner.is_alive() {
        inner.run(RunMode::Once)?;
    }
    assert!(wake_up.is_closed());
    wait.close();
    outer.run(RunMode::Default)?;
    outer.close()?;
    inner.close()
}
