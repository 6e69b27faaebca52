//! Every kind of callback closes and drops its own handle, and whatever is due after it.

use std::cell::RefCell;
use std::rc::Rc;
use uv_handles::{AnyHandle, Async, Check, Handle, Idle, Loop, Prepare, Result, RunMode, Timer};
use uv_handles_test_guests::Trace;

type Held = Rc<RefCell<Vec<AnyHandle>>>;

/// Makes two handles of a kind, both of which are due in the next iteration. Whichever is called
/// first closes and drops both.
fn two(event_loop: &Loop, trace: &Trace, kind: &str) -> Held {
    let held = Held::default();
    let end = |name: &'static str| {
        let (held, trace) = (held.clone(), trace.clone());
        move || {
            trace.add(name);
            // The values that are left are those that the running callback was called with.
            for handle in held.take() {
                let trace = trace.clone();
                handle.close_with(move |handle| {
                    assert!(!handle.is_active());
                    trace.add("closed");
                });
            }
        }
    };
    for name in ["a", "b"] {
        let end = end(name);
        let handle: AnyHandle = match kind {
            "timer" => {
                let timer = Timer::new(event_loop).unwrap();
                timer.start_with(0, 1, move |_| end()).unwrap();
                timer.into()
            }
            "idle" => {
                let idle = Idle::new(event_loop).unwrap();
                idle.start_with(move |_| end()).unwrap();
                idle.into()
            }
            "prepare" => {
                let prepare = Prepare::new(event_loop).unwrap();
                prepare.start_with(move |_| end()).unwrap();
                prepare.into()
            }
            "check" => {
                let check = Check::new(event_loop).unwrap();
                check.start_with(move |_| end()).unwrap();
                check.into()
            }
            _ => {
                let wake_up = Async::new(event_loop).unwrap();
                wake_up.send_with(move |_| end()).unwrap();
                wake_up.into()
            }
        };
        held.borrow_mut().push(handle);
    }
    held
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    for (kind, first) in [("timer", "a"), ("idle", "b"), ("prepare", "b"), ("check", "b"), ("async", "a")] {
        let trace = Trace::new();
        let held = two(&event_loop, &trace, kind);
        while event_loop.run(RunMode::NoWait)? {}
        assert_eq!(trace.take(), format!("{first} closed closed"), "{kind}");
        assert_eq!(Rc::strong_count(&held), 1, "the closures of closed handles are dropped");
        assert!(event_loop.handles().is_empty());
    }
    event_loop.close()
}
