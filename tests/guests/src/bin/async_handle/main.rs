//! Async handles: sent by the guest itself, and by threads of the host.

mod chain;
mod coalesces;
mod made_inside_the_pass;
mod messages;
mod named;
mod order;
mod sent_by_threads;
mod trap;
mod wakes_a_wait;

uv_handles_test_guests::cases!(
    chain,
    coalesces,
    made_inside_the_pass,
    messages,
    named,
    order,
    sent_by_threads,
    trap,
    wakes_a_wait,
);
