//! Whatever a callback calls, no other callback is called inside it: not what it makes due at once,
//! and no close callback.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{AnyHandle, Descriptor, Handle, Loop, Result, RunMode, StatusCode};
use uv_handles_test_guests::{assert_refused, kinds};

/// Does this as the only callback there is.
fn alone(inside: &Cell<bool>, what: impl FnOnce()) {
    assert!(!inside.replace(true), "inside another callback");
    what();
    inside.set(false);
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let socket = Descriptor::open("socket")?;
    let all = kinds::one_of_each(&event_loop, &socket)?;
    let inside = Rc::new(Cell::new(false));
    let (called, closed) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    for handle in &all {
        let (all, this) = (all.clone(), handle.clone());
        let (inside, called, closed) = (inside.clone(), called.clone(), closed.clone());
        kinds::set_callback(handle, move || {
            alone(&inside, || {
                called.set(called.get() + 1);
                for other in all.iter().filter(|other| !other.is_closing()) {
                    kinds::stop(other);
                    kinds::start(other).unwrap();
                }
                assert_refused(this.event_loop().run(RunMode::NoWait), StatusCode::EBUSY);
                let (inside, closed) = (inside.clone(), closed.clone());
                this.close_with(move |_: &AnyHandle| alone(&inside, || closed.set(closed.get() + 1)));
            });
        });
    }
    alone(&inside, || all.iter().for_each(|handle| kinds::start(handle).unwrap()));
    // All but the signal, which is not sent.
    while called.get() < 6 {
        assert!(event_loop.run(RunMode::Once)?);
    }
    alone(&inside, || all.iter().for_each(Handle::close));
    event_loop.run(RunMode::Default)?;
    assert_eq!((called.get(), closed.get()), (6, 6));
    event_loop.close()
}
