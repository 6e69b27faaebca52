//! `Math.random`. The engine's own generator is seeded when its context is made, and instances
//! share that.

use std::cell::Cell;

use rquickjs::{Object, Result};

use crate::native::define;

thread_local! {
    static STATE: Cell<Option<(u64, u64)>> = const { Cell::new(None) };
}

pub fn define(functions: &Object<'_>) -> Result<()> {
    define!(functions, { "random": random })
}

/// The next number from 0 to 1: the generator xorshift128+, as in V8.
fn random() -> f64 {
    // Its state must not be zero.
    let (mut x, y) = STATE.get().unwrap_or_else(|| {
        let (high, low) = wasip2::random::insecure_seed::insecure_seed();
        (high | 1, low)
    });
    x ^= x << 23;
    x ^= x >> 17;
    x ^= y ^ (y >> 26);
    STATE.set(Some((y, x)));
    // The 53 bits of a fraction.
    (x.wrapping_add(y) >> 11) as f64 / (1_u64 << 53) as f64
}
