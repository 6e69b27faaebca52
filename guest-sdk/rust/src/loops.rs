//! The loops of the guest that have not been dropped.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use crate::event_loop::{Loop, WeakLoop};

thread_local! {
    static LOOPS: RefCell<ManuallyDrop<Vec<(u32, WeakLoop)>>> =
        const { RefCell::new(ManuallyDrop::new(Vec::new())) };
    static MADE: Cell<u32> = const { Cell::new(0) };
    /// Whether there is more than one: asked before each callback.
    static ARE_SEVERAL: Cell<bool> = const { Cell::new(false) };
}

/// Adds a loop. The number is its own, until 2^32 of them have been made.
pub(crate) fn add(event_loop: &Loop) -> u32 {
    let number = MADE.get();
    MADE.set(number.wrapping_add(1));
    change(|loops| loops.push((number, event_loop.downgrade())));
    number
}

/// Removes a loop that is dropped.
pub(crate) fn remove(number: u32) {
    change(|loops| loops.retain(|&(other, _)| other != number));
}

fn change(change: impl FnOnce(&mut Vec<(u32, WeakLoop)>)) {
    LOOPS.with_borrow_mut(|loops| {
        change(loops);
        ARE_SEVERAL.set(loops.len() > 1);
    });
}

/// The loop with this number.
pub(crate) fn find(number: u32) -> Option<Loop> {
    LOOPS.with_borrow(|loops| {
        loops.iter().find(|&&(other, _)| other == number).and_then(|(_, event_loop)| event_loop.upgrade())
    })
}

/// Whether there is more than one.
#[cfg(feature = "async")]
pub(crate) fn are_several() -> bool {
    ARE_SEVERAL.get()
}

/// The loop, if there is exactly one.
#[cfg(feature = "async")]
pub(crate) fn only() -> Option<Loop> {
    LOOPS.with_borrow(|loops| match &loops[..] {
        [(_, event_loop)] => event_loop.upgrade(),
        _ => None,
    })
}
