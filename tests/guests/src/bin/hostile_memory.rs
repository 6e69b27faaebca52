//! Grows its memory until the host refuses and writes to all of it. Its handles work on; an allocation fails.

use std::arch::wasm32::{memory_grow, memory_size};
use uv::blocking::{Pulled, pull};
use uv_handles::bindings::uv::handles as uv;

const PAGE: usize = 65_536;

fn main() {
    let event_loop = uv::event_loop::Loop::create().unwrap();
    let timer = uv::timer::Timer::create(&event_loop, 1).unwrap();
    println!("growing");
    loop {
        let before = memory_grow::<0>(1);
        if before == usize::MAX {
            break;
        }
        let page = (before * PAGE) as *mut u8;
        // SAFETY: the page is new and nobody else's.
        unsafe { std::ptr::write_bytes(page, 0xa5, PAGE) };
    }
    println!("{}", memory_size::<0>() * PAGE);
    // Nothing of the memory is left, and none is needed for this.
    for _ in 0..1_000 {
        timer.start(0, 0).unwrap();
        event_loop.begin(uv::types::RunMode::Nowait).unwrap();
        while let Pulled::Events(_) = pull(&event_loop, 1).unwrap() {}
    }
    println!("working");
    let much = std::hint::black_box(vec![1u8; 1 << 20]);
    println!("there was memory: {}", much.len());
}
