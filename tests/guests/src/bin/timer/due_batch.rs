//! A timer's callback changes other timers that are due in the same phase.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let made: Vec<Timer> = (0..7).map(|_| Timer::new(&event_loop)).collect::<Result<_>>()?;
    let [first, stopped, closed, restarted, again, fresh, last] = made.clone().try_into().unwrap();
    let names = ["first", "stopped", "closed", "restarted", "again", "fresh", "last"];
    for (timer, name) in made.iter().zip(names) {
        timer.set_callback(traces(&trace, name));
        if name != "fresh" {
            timer.start(10, 0)?;
        }
    }
    again.set_repeat(5)?;
    first.set_callback({
        let trace = trace.clone();
        let [stopped, closed, restarted, again, fresh, last] =
            [&stopped, &closed, &restarted, &again, &fresh, &last].map(Timer::clone);
        move |_| {
            trace.add("first");
            assert!(
                !stopped.is_active() && !last.is_active(),
                "those that wait for their turn are not active"
            );
            stopped.stop();
            closed.close();
            restarted.start(0, 0).unwrap();
            again.again().unwrap();
            assert_eq!(again.due_in(), Ok(5));
            fresh.start(0, 0).unwrap();
        }
    });
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "first last", "what is started in a timer's callback waits for the next phase");
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "restarted fresh");
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "again");

    made.iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
