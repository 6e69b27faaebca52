//! Keys of runs for the fast interface.
//!
//! A key keeps components of one guest apart that share the adapter. The adapter imports no source
//! of randomness, so a key is made of the clock and a counter, and a component that knows when
//! another one asked for its key could guess it. That does no harm here: a composition has its
//! adapter to itself, so only components that the guest's author put together can try, and a run
//! gives access to the callbacks of the same guest alone, never to a grant or to another guest.

use crate::bindings::wasi::clocks::monotonic_clock;
use std::cell::Cell;

/// The increment of SplitMix64. It is odd, so all sums of a cycle differ.
const INCREMENT: u64 = 0x9E37_79B9_7F4A_7C15;

thread_local! {
    /// How many keys have been made.
    static MADE: Cell<u64> = const { Cell::new(0) };
}

/// A key that has not been made before, except by chance.
pub fn next() -> u64 {
    let made = MADE.get().wrapping_add(1);
    MADE.set(made);
    // The counter tells keys apart that are made within one tick of the clock.
    mix(mix(monotonic_clock::now()).wrapping_add(made.wrapping_mul(INCREMENT)))
}

/// The finalizer of SplitMix64: spreads each bit over all of them.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ bits >> 31
}
