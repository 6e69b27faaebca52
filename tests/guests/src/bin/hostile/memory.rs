//! Takes memory until the host refuses, and writes to all of it. Its handles work on; an allocation that must
//! succeed does not.

use std::hint::black_box;
use std::ops::ControlFlow;
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::go_on;

const CHUNK: usize = 65_536;

pub fn main() {
    let event_loop = uv::event_loop::Loop::create().unwrap();
    let timer = uv::timer::Timer::create(&event_loop, 1).unwrap();
    println!("growing");
    let mut chunks: Vec<Vec<u8>> = Vec::with_capacity(CHUNK);
    loop {
        let mut chunk = Vec::new();
        if chunk.try_reserve_exact(CHUNK).is_err() || chunks.len() == chunks.capacity() {
            break;
        }
        chunk.resize(CHUNK, 0xa5);
        chunks.push(chunk);
    }
    println!("{}", black_box(&chunks).len() * CHUNK);
    for _ in 0..1_000 {
        timer.start(0, 0).unwrap();
        let run = event_loop.begin(uv::types::RunMode::Nowait).unwrap();
        while let ControlFlow::Continue(_) = go_on(&run).unwrap() {}
    }
    println!("working");
    let much = black_box(vec![1u8; 1 << 20]);
    println!("there was memory: {}", much.len());
}
