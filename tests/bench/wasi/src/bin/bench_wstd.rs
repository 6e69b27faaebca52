//! The same work with wstd, each timer in a task of its own.

mod bindings {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "with-wstd", generate_all });
}

use bindings::uv_handles::bench::control;
use std::cell::Cell;
use std::rc::Rc;
use wstd::runtime::{block_on, spawn};
use wstd::time::{Duration, Timer};

fn main() {
    let mut args = std::env::args().skip(1);
    let name = args.next().expect("the name of the work");
    let numbers: Vec<u64> = args.map(|arg| arg.parse().expect("a number")).collect();
    match (name.as_str(), &numbers[..]) {
        ("spread-timers", &[many, times]) => spread_timers(many, times),
        _ => panic!("no work {name} with {} numbers", numbers.len()),
    }
}

/// Many timers within 100 ms.
fn spread_timers(many: u64, times: u64) {
    let fired = Rc::new(Cell::new(0));
    let mut closed = 0;
    control::begin();
    for _ in 0..times {
        block_on(async {
            let timer = |at: u64| {
                let fired = fired.clone();
                spawn(async move {
                    Timer::after(Duration::from_millis(at % 100 + 1)).wait().await;
                    fired.set(fired.get() + 1);
                })
            };
            let tasks: Vec<_> = (0..many).map(timer).collect();
            for task in tasks {
                task.await;
                closed += 1;
            }
        });
    }
    control::end();
    control::count("operations", many * times);
    control::count("fired", fired.get());
    control::count("closed", closed);
}
