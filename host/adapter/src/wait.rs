//! Time and waiting, made of WASI's monotonic clock. The whole of a guest's blocking happens here.

use crate::bindings::wasi::clocks::monotonic_clock;
use std::sync::LazyLock;

const NANOSECONDS: u64 = 1_000_000;

/// Where the loops' time begins, as it does for a guest of the native host.
static ORIGIN: LazyLock<u64> = LazyLock::new(monotonic_clock::now);

/// The time in milliseconds.
pub fn now() -> u64 {
    let origin = *ORIGIN;
    (monotonic_clock::now() - origin) / NANOSECONDS
}

/// Waits for so many milliseconds: the loop wants to be woken for its earliest timer, so there is one
/// subscription, whatever the number of timers.
///
/// The wait begins now and not at the loop's cached time, as libuv's does.
pub fn wait(milliseconds: u32) {
    if milliseconds == 0 {
        return;
    }
    let deadline = monotonic_clock::now().saturating_add(u64::from(milliseconds) * NANOSECONDS);
    // Some runtimes wake up a little early, by the precision of their timers. A run of mode `once` would
    // end then without calling what it waited for.
    while monotonic_clock::now() < deadline {
        monotonic_clock::subscribe_instant(deadline).block();
    }
}
