//! A future that needs to know the loop panics where none is known.

use std::task::{Context, Waker};
use uv_handles::task::sleep;

pub fn main() {
    let mut sleep = std::pin::pin!(sleep(1));
    println!("made");
    let _ = sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    println!("not reached");
}
