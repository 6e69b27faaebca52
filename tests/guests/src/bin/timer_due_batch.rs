//! What a timer's callback does to the other timers that are due in the same phase.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let made: Vec<Timer> = (0..6).map(|_| Timer::new(&event_loop)).collect::<Result<_>>()?;
    let [first, stopped, closed, restarted, fresh, last] = made.clone().try_into().unwrap();
    for (timer, name) in made.iter().zip(["first", "stopped", "closed", "restarted", "fresh", "last"]) {
        timer.set_callback(traces(&trace, name));
        if name != "fresh" {
            timer.start(10, 0)?;
        }
    }
    first.set_callback({
        let trace = trace.clone();
        let [stopped, closed, restarted, fresh, last] =
            [&stopped, &closed, &restarted, &fresh, &last].map(Timer::clone);
        move |_| {
            trace.add("first");
            assert!(!stopped.active() && !last.active(), "those that wait for their turn are not active");
            stopped.stop();
            closed.close();
            restarted.start(0, 0).unwrap();
            fresh.start(0, 0).unwrap();
        }
    });
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "first last", "what is started in a timer's callback waits for the next phase");
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "restarted fresh");

    made.iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
