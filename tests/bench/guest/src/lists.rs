//! The cost of many timers without timers: a closure and a resource for each, and lists across the
//! border, as long as the SDK's.

use crate::bindings::uv_handles::bench::lists::{Item, advance, pull, reserve};
use crate::control;
use std::cell::Cell;
use uv_handles::Result;

/// The number that the SDK allocates, flushes and pulls at once.
const RESERVED: u64 = 256;
const NUMBERS: usize = 4096;
const CALLED: u64 = 256;

thread_local! {
    static FIRED: Cell<u64> = const { Cell::new(0) };
    static CLOSED: Cell<u64> = const { Cell::new(0) };
}

pub fn pass(many: u64) -> Result<()> {
    let mut items: Vec<(Item, u32)> = Vec::with_capacity(many as usize);
    let mut closures: Vec<Option<Box<dyn FnMut()>>> = Vec::with_capacity(many as usize);
    control::begin();
    while (items.len() as u64) < many {
        items.append(&mut reserve(RESERVED.min(many - items.len() as u64) as u32));
    }
    for _ in 0..many {
        closures.push(Some(Box::new(|| FIRED.set(FIRED.get() + 1))));
    }
    tell(&items, |at, item| [1 << 48 | u64::from(item), at, at / 1000 + 1, 0]);
    bring(many, |at| closures[at].as_mut().expect("it is there")());
    tell(&items, |_, item| [4 << 48 | u64::from(item)]);
    bring(many, |at| {
        closures[at] = None;
        CLOSED.set(CLOSED.get() + 1);
    });
    control::end();
    control::count("operations", many);
    control::count("fired", FIRED.get());
    control::count("closed", CLOSED.get());
    Ok(())
}

fn tell<const LENGTH: usize>(items: &[(Item, u32)], change: impl Fn(u64, u32) -> [u64; LENGTH]) {
    // One list, as in the SDK.
    let mut changes = Vec::new();
    for (at, (_, item)) in (0..).zip(items) {
        changes.extend(change(at, *item));
        if changes.len() >= NUMBERS {
            advance(&changes);
            changes.clear();
        }
    }
    advance(&changes);
}

fn bring(many: u64, mut call: impl FnMut(usize)) {
    for first in (0..many).step_by(CALLED as usize) {
        for token in pull(first, CALLED.min(many - first) as u32) {
            call(token as usize);
        }
    }
}
