//! Asks for as many MiB of memory as each of its arguments says, and tells whether it got them. After
//! the argument `must` it cannot do without.

use std::hint::black_box;

pub fn main() {
    let mut must = false;
    for arg in uv_handles_test_guests::args() {
        if arg == "must" {
            must = true;
            continue;
        }
        let bytes = arg.parse::<usize>().expect("a number") << 20;
        let mut memory: Vec<u8> = Vec::new();
        if must {
            memory.reserve_exact(bytes);
        }
        let got = black_box(&mut memory).try_reserve_exact(bytes).is_ok();
        println!("{arg} MiB: {}", if got { "granted" } else { "refused" });
    }
}
