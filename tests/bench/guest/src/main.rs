//! The benchmark's guest: does the work that its arguments name, once. `tests/bench/native/c` has
//! the same work for libuv, function by function, and the benchmark compares the counts of both.

mod echo;
mod lists;
mod polls;
mod random;
mod timers;
mod wakes;
mod watchers;

mod bindings {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "guest" });
}

pub use bindings::uv_handles::bench::control;

fn main() -> uv_handles::Result<()> {
    let mut args = std::env::args().skip(1);
    let name = args.next().expect("the name of the work");
    let numbers: Vec<u64> = args.map(|arg| arg.parse().expect("a number")).collect();
    match (name.as_str(), &numbers[..]) {
        ("timers", &[many, times]) => timers::make_start_fire_close(many, times, timers::as_million_timers),
        ("random-timers", &[many, times]) => {
            timers::make_start_fire_close(many, times, timers::within_a_minute())
        }
        ("spread-timers", &[many, times]) => {
            timers::make_start_fire_close(many, times, timers::within_100_ms)
        }
        ("repeating", &[many, period, calls]) => timers::repeating(many, period, calls),
        ("timeouts", &[pending, times]) => timers::timeouts(pending, times),
        ("waits", &[pending, times, timeout]) => timers::restarts(pending, times, timeout),
        ("restarts", &[times]) => timers::restarts(0, times, 0),
        ("lists", &[many]) => lists::pass(many),
        ("memory", &[many]) => timers::memory(many),
        ("ticks", &[period]) => timers::ticks(period),
        ("calls", &[times]) => watchers::calls(times),
        ("idle", &[times]) => watchers::iterate(times, false, false),
        ("phases", &[times]) => watchers::iterate(times, true, false),
        ("idle-poll", &[times]) => watchers::iterate(times, false, true),
        ("ping-pong", &[times]) => polls::ping_pong(times),
        ("many-polls" | "many-shared-polls", &[many, ready, events]) => polls::many(many, ready, events),
        ("wake-up", &[times]) => wakes::wake_up(times),
        ("signal", &[times]) => wakes::signal(times),
        ("echo", &[connections, _]) => echo::serve(connections),
        _ => panic!("no work {name} with {} numbers", numbers.len()),
    }
}
