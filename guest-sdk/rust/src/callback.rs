//! The place where a handle keeps its callback.
//!
//! A callback may do anything to its own handle while it runs: replace itself, close the handle,
//! drop the last value of it. So the closure is taken out of its place for the call and put back
//! afterwards, unless its place was filled or retired in the meantime. There is no borrow that could
//! be held twice, and a closure is never dropped while it runs.

use std::cell::Cell;
use std::fmt;

/// A replaceable closure of type `F`, a `dyn FnMut(…)`.
pub(crate) struct Callback<F: ?Sized>(Cell<State<F>>);

enum State<F: ?Sized> {
    /// No callback has been set, or it is out of its place because it runs.
    Empty,
    Set(Box<F>),
    /// The handle is closed. Nothing is kept any more: a closure usually holds its own handle, and
    /// the two would keep each other alive.
    Retired,
}

impl<F: ?Sized> Callback<F> {
    pub(crate) const fn new() -> Self {
        Self(Cell::new(State::Empty))
    }

    /// Replaces the closure. One that runs at the moment is dropped when it returns.
    pub(crate) fn set(&self, callback: Box<F>) {
        match self.0.replace(State::Set(callback)) {
            State::Retired => self.retire(),
            // Last, with the new closure in place: the drop may run code of the user.
            previous => drop(previous),
        }
    }

    /// Drops the closure and refuses all later ones.
    pub(crate) fn retire(&self) {
        drop(self.0.replace(State::Retired));
    }

    /// Calls the closure by way of `invoke`, which supplies the arguments. Without a closure, and
    /// inside its own call, nothing happens.
    pub(crate) fn call(&self, invoke: impl FnOnce(&mut F)) {
        let mut running = match self.0.replace(State::Empty) {
            State::Set(callback) => callback,
            other => return self.0.set(other),
        };
        invoke(&mut running);
        match self.0.replace(State::Empty) {
            State::Empty => self.0.set(State::Set(running)),
            changed => {
                self.0.set(changed);
                drop(running);
            }
        }
    }
}

impl<F: ?Sized> fmt::Debug for Callback<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}

#[cfg(test)]
mod tests {
    use super::Callback;
    use std::cell::Cell;
    use std::rc::Rc;

    type Slot = Rc<Callback<dyn FnMut()>>;

    fn slot() -> Slot {
        Rc::new(Callback::new())
    }

    fn call(slot: &Slot) {
        slot.call(|callback| callback());
    }

    /// Counts how often it has been called, and tells when it is dropped.
    struct Probe(Rc<Cell<u32>>, Rc<Cell<bool>>);

    impl Drop for Probe {
        fn drop(&mut self) {
            self.1.set(true);
        }
    }

    fn probe() -> (Probe, Rc<Cell<u32>>, Rc<Cell<bool>>) {
        let (calls, dropped) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
        (Probe(calls.clone(), dropped.clone()), calls, dropped)
    }

    #[test]
    fn an_empty_slot_calls_nothing() {
        call(&slot());
    }

    #[test]
    fn the_callback_stays_for_the_next_call() {
        let slot = slot();
        let (probe, calls, dropped) = probe();
        slot.set(Box::new(move || probe.0.set(probe.0.get() + 1)));
        call(&slot);
        call(&slot);
        assert_eq!(calls.get(), 2);
        assert!(!dropped.get());
    }

    #[test]
    fn replaced_from_inside_it_lives_until_it_returns() {
        let slot = slot();
        let (probe, calls, dropped) = probe();
        let (second, second_calls, _) = self::probe();
        let mut second = Some(second);
        let (inner, seen) = (slot.clone(), dropped.clone());
        slot.set(Box::new(move || {
            let second = second.take().unwrap();
            inner.set(Box::new(move || second.0.set(second.0.get() + 1)));
            assert!(!seen.get());
            probe.0.set(probe.0.get() + 1);
        }));
        call(&slot);
        assert!(dropped.get());
        assert_eq!((calls.get(), second_calls.get()), (1, 0));
        call(&slot);
        assert_eq!((calls.get(), second_calls.get()), (1, 1));
    }

    #[test]
    fn retired_from_inside_it_is_dropped_when_it_returns() {
        let slot = slot();
        let (probe, calls, dropped) = probe();
        let inner = slot.clone();
        slot.set(Box::new(move || {
            inner.retire();
            probe.0.set(probe.0.get() + 1);
        }));
        call(&slot);
        call(&slot);
        assert_eq!(calls.get(), 1);
        assert!(dropped.get());
        assert_eq!(Rc::strong_count(&slot), 1);
    }

    #[test]
    fn a_retired_slot_keeps_no_callback() {
        let slot = slot();
        slot.retire();
        let (probe, calls, dropped) = probe();
        slot.set(Box::new(move || probe.0.set(probe.0.get() + 1)));
        assert!(dropped.get());
        call(&slot);
        assert_eq!(calls.get(), 0);
    }

    #[test]
    fn a_call_inside_the_call_does_nothing() {
        let slot = slot();
        let (probe, calls, _) = probe();
        let inner = slot.clone();
        slot.set(Box::new(move || {
            call(&inner);
            probe.0.set(probe.0.get() + 1);
        }));
        call(&slot);
        assert_eq!(calls.get(), 1);
        slot.retire();
    }

    #[test]
    fn a_replaced_callback_may_use_the_slot_while_it_is_dropped() {
        struct SetsAnother(Slot);
        impl Drop for SetsAnother {
            fn drop(&mut self) {
                self.0.set(Box::new(|| {}));
            }
        }
        let slot = slot();
        let captured = SetsAnother(slot.clone());
        slot.set(Box::new(move || {
            let _ = &captured;
        }));
        slot.set(Box::new(|| unreachable!("replaced by the drop")));
        call(&slot);
    }
}
