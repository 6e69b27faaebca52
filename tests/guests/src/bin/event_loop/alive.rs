//! A loop is alive while it has certain handles: active and referenced handles, and those that wait for a closing phase -
//! but not those whose close callbacks are being called.

use uv_handles::{Handle, Loop, Prepare, Result, RunMode, Timer};
use uv_handles_test_guests::Trace;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    assert!(!event_loop.is_alive());
    let timer = Timer::new(&event_loop)?;
    assert!(!event_loop.is_alive(), "a handle that is not active does not count");
    timer.start(10, 0)?;
    assert!(event_loop.is_alive());
    timer.dereference()?;
    assert!(!event_loop.is_alive(), "nor does one that is not referenced");
    timer.reference()?;
    timer.stop();
    assert!(!event_loop.is_alive());
    timer.dereference()?;
    timer.close();
    assert!(event_loop.is_alive(), "closing, it counts, referenced or not");
    assert!(!event_loop.run(RunMode::NoWait)?);

    // In the close callbacks of a batch, the batch itself does not count any more; what is closed
    // there counts for the next one.
    let trace = Trace::new();
    let notes = |name: &'static str| {
        let trace = trace.clone();
        move |event_loop: &Loop| trace.add(format!("{name} {}", event_loop.is_alive()))
    };
    let [first, second, late] = [(); 3].map(|()| Prepare::new(&event_loop).unwrap());
    first.close_with({
        let notes = notes("first");
        move |first| notes(&first.event_loop())
    });
    second.close_with({
        let (before, after, in_late) = (notes("second"), notes("closed-late"), notes("late"));
        let late = late.clone();
        move |second| {
            before(&second.event_loop());
            late.close_with(move |late| in_late(&late.event_loop()));
            after(&second.event_loop());
        }
    });
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "second false closed-late true first true late false");

    // A loop that is alive by the test at the end of an iteration goes on, also if nothing has
    // happened in it: the one that ends is the one after which nothing is alive.
    let prepare = Prepare::new(&event_loop)?;
    prepare.start_with({
        let trace = trace.clone();
        move |prepare| {
            trace.add("prepare");
            if trace.len() == 3 {
                prepare.dereference().unwrap();
            }
        }
    })?;
    while event_loop.run(RunMode::NoWait)? {}
    assert_eq!(trace.take(), "prepare prepare prepare");
    prepare.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
