//! The slot in which a handle keeps its callback.
//!
//! A callback may do anything to its own handle while it runs: replace itself, close the handle,
//! drop the last value of it. So the closure is taken out of its slot for the call and put back
//! afterwards, unless it has been replaced or cleared meanwhile. No borrow is held during the call,
//! and a closure is never dropped while it runs.

use std::cell::Cell;
use std::fmt;

/// A replaceable closure of type `F`, a `dyn FnMut(…)`.
///
/// It is empty if no closure has been set, and while the closure runs.
pub(crate) struct Callback<F: ?Sized>(Cell<Option<Box<F>>>);

impl<F: ?Sized> Callback<F> {
    pub(crate) const fn new() -> Self {
        Self(Cell::new(None))
    }

    /// Replaces the closure. One that is running is dropped when it returns.
    pub(crate) fn set(&self, callback: Box<F>) {
        // The drop may run code of the user, so the new closure is in place first.
        drop(self.0.replace(Some(callback)));
    }

    /// Drops the closure.
    pub(crate) fn clear(&self) {
        drop(self.0.take());
    }

    /// Calls the closure through `invoke`, which supplies the arguments. Without a closure, and
    /// inside its own call, nothing happens. Afterwards `keeps` decides whether it is put back.
    pub(crate) fn call(&self, invoke: impl FnOnce(&mut F), keeps: impl FnOnce() -> bool) {
        let Some(mut running) = self.0.take() else {
            return;
        };
        invoke(&mut running);
        match self.0.take() {
            None if keeps() => self.0.set(Some(running)),
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
        slot.call(|callback| callback(), || true);
    }

    /// Counts its calls, and tells when it is dropped.
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
    fn cleared_from_inside_it_is_dropped_when_it_returns() {
        let slot = slot();
        let (probe, calls, dropped) = probe();
        let (inner, seen) = (slot.clone(), dropped.clone());
        slot.set(Box::new(move || {
            inner.clear();
            assert!(!seen.get());
            probe.0.set(probe.0.get() + 1);
        }));
        slot.call(|callback| callback(), || false);
        call(&slot);
        assert_eq!(calls.get(), 1);
        assert!(dropped.get());
        assert_eq!(Rc::strong_count(&slot), 1);
    }

    #[test]
    fn a_cleared_slot_is_empty() {
        let slot = slot();
        let (probe, calls, dropped) = probe();
        slot.set(Box::new(move || probe.0.set(probe.0.get() + 1)));
        slot.clear();
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
        slot.clear();
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
