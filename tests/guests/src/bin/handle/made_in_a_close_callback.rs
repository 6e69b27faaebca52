//! In a close callback of several that are due together, another handle is made. What is said of the handle that is being
//! closed says nothing of the new one, and the other close callbacks come as ever.

use std::cell::RefCell;
use std::rc::Rc;
use uv_handles::{Check, Error, Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::Trace;

/// Makes a timer that is due later.
fn make(event_loop: &Loop, trace: &Trace) -> Timer {
    let (timer, trace) = (Timer::new(event_loop).expect("there may be more"), trace.clone());
    timer.start_with(1, 0, move |_| trace.add("called")).expect("it is open");
    timer
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let made: Rc<RefCell<Vec<Timer>>> = Rc::default();
    let timers = (0..4).map(|_| Timer::new(&event_loop)).collect::<Result<Vec<_>>>()?;
    for timer in &timers {
        let (owner, trace, made) = (event_loop.clone(), trace.clone(), made.clone());
        timer.close_with(move |closing| {
            trace.add("closed");
            let new = make(&owner, &trace);
            // The one that is being closed stays what it is, and says nothing of the new one.
            closing.close();
            closing.stop();
            assert_eq!(closing.start(5, 5), Err(Error::HandleClosed));
            assert!(closing.is_closing() && !closing.is_closed() && !closing.is_active());
            closing.set_on_closed(|_| unreachable!("it has been called"));
            closing.set_callback(|_| unreachable!("it is closing"));
            assert!(new.is_active() && !new.is_closing() && new != *closing);
            made.borrow_mut().push(new);
        });
    }
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "closed closed closed closed");
    assert!(timers.iter().all(Handle::is_closed) && made.borrow().iter().all(Handle::is_active));
    assert_eq!(event_loop.handles().len(), 4);

    // The same without a call of the host in a close callback, which would end the batch: closed timers are used again.
    drop(timers);
    let (before, after) = (Timer::new(&event_loop)?, Check::new(&event_loop)?);
    for _ in 0..2 {
        let (owner, trace, made) = (event_loop.clone(), trace.clone(), made.clone());
        let timer = Timer::new(&event_loop)?;
        timer.close_with(move |closing| {
            trace.add("closed");
            let new = make(&owner, &trace);
            closing.close();
            made.borrow_mut().push(new);
        });
    }
    for number in ["before", "after"] {
        let trace = trace.clone();
        match number {
            "before" => before.close_with(move |_| trace.add(number)),
            _ => after.close_with(move |_| trace.add(number)),
        }
    }
    event_loop.run(RunMode::Default)?;
    let called = ["called"; 6].join(" ");
    assert_eq!(trace.take(), format!("after before closed closed {called}"));
    made.take().iter().for_each(Timer::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
