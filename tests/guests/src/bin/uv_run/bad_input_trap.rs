//! Traps in the way that its argument says, inside of a function whose name the report is to show.

use std::hint::black_box;

#[inline(never)]
fn reaches_what_is_unreachable() {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
}

#[inline(never)]
fn reads_outside_of_memory() {
    let address = black_box(usize::MAX - 15) as *const u8;
    // SAFETY: there is none. No guest has memory there, and this one is to trap for that.
    black_box(unsafe { address.read_volatile() });
}

#[inline(never)]
fn calls_itself(depth: u64) -> u64 {
    if black_box(true) { black_box(calls_itself(black_box(depth + 1))) + 1 } else { depth }
}

pub fn main() {
    println!("begins");
    match uv_handles_test_guests::args().next().as_deref() {
        Some("unreachable") => reaches_what_is_unreachable(),
        Some("memory") => reads_outside_of_memory(),
        Some("stack") => println!("{} calls", calls_itself(0)),
        other => panic!("there is no way {other:?}"),
    }
    println!("goes on");
}
