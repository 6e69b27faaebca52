//! Timers that the SDK has made ahead and uses again show up nowhere: neither in what a loop lists, nor in how many
//! handles there may be, nor in the order of anything.

use uv_handles::{AnyHandle, Error, Handle, Idle, Loop, Result, RunMode, StatusCode, Timer};
use uv_handles_test_guests::{Trace, assert_refused, traces};

/// As many handles as the host allows.
const ALLOWED: usize = 65_536;

/// Makes so many timers, starts and closes them, and drops them.
fn come_and_go(event_loop: &Loop, count: u64) -> Result<()> {
    let timers: Vec<Timer> = (0..count).map(|_| Timer::new(event_loop)).collect::<Result<_>>()?;
    for (n, timer) in (0..).zip(&timers) {
        timer.start(n % 3, 0)?;
    }
    assert_eq!(event_loop.handles().len(), timers.len());
    event_loop.run(RunMode::Default)?;
    timers.iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    assert!(timers.iter().all(Handle::is_closed) && event_loop.handles().is_empty());
    Ok(())
}

pub fn main() -> Result<()> {
    let (event_loop, other) = (Loop::new()?, Loop::new()?);
    come_and_go(&event_loop, 300)?;
    come_and_go(&other, 1_000)?;

    // Kinds of handles that are not made ahead get every place that there is, and timers what they leave.
    let mut idles = Vec::new();
    let refused = loop {
        match Idle::new(&event_loop) {
            Ok(idle) => idles.push(idle),
            Err(error) => break error,
        }
    };
    assert_eq!((idles.len(), refused), (ALLOWED, Error::Status(StatusCode::ENOMEM)));
    assert_refused(Timer::new(&event_loop), StatusCode::ENOMEM);
    assert_refused(Timer::new(&other), StatusCode::ENOMEM);
    idles.truncate(ALLOWED - 3);
    event_loop.handles().into_iter().skip(ALLOWED - 3).for_each(|idle| idle.close());
    event_loop.run(RunMode::NoWait)?;
    let timers: Vec<Timer> = (0..3).map(|_| Timer::new(&other)).collect::<Result<_>>()?;
    assert_refused(Timer::new(&event_loop), StatusCode::ENOMEM);
    assert_refused(Idle::new(&event_loop), StatusCode::ENOMEM);
    idles.iter().for_each(Handle::close);
    timers.iter().for_each(Handle::close);
    drop((idles, timers));
    event_loop.run(RunMode::Default)?;
    other.run(RunMode::Default)?;

    // A callback's change of other timers is applied at its position.
    let trace = Trace::new();
    let timers: Vec<Timer> = (0..6).map(|_| Timer::new(&event_loop)).collect::<Result<_>>()?;
    assert_eq!(event_loop.handles(), timers.iter().cloned().map(AnyHandle::from).collect::<Vec<_>>());
    for (n, timer) in timers.iter().enumerate() {
        timer.start_with(5, 0, traces(&trace, &n.to_string()))?;
    }
    timers[1].set_callback({
        let (timers, trace) = (timers.clone(), trace.clone());
        move |own| {
            trace.add("one");
            own.start(0, 0).expect("it is open");
            // One that waits to be called in this phase has been stopped already, as uv__run_timers does.
            assert!(own.is_active() && !timers[2].is_active());
            timers[2].stop();
            timers[3].close_with({
                let trace = trace.clone();
                move |_| trace.add("three-closed")
            });
            assert_refused_as_closed(&timers[3]);
            let new = Timer::new(&own.event_loop()).expect("there is room");
            new.start_with(0, 0, traces(&trace, "new")).expect("it is open");
            own.set_callback(traces(&trace, "one-again"));
        }
    });
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "0 one 4 5 three-closed one-again new");
    assert!(timers[3].is_closed() && !timers[2].is_active());
    assert_eq!(timers[0].due_in(), Ok(0));

    for event_loop in [&event_loop, &other] {
        event_loop.handles().iter().for_each(Handle::close);
        event_loop.run(RunMode::Default)?;
        event_loop.close()?;
        assert_eq!(Timer::new(event_loop).err(), Some(Error::LoopClosed));
    }
    Ok(())
}

fn assert_refused_as_closed(timer: &Timer) {
    assert!(timer.is_closing() && !timer.is_closed());
    assert_eq!(timer.start(1, 1), Err(Error::HandleClosed));
    timer.stop();
    assert_eq!(timer.again(), Err(Error::HandleClosed));
}
