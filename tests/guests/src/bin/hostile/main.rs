//! Hostile guests, and the well-behaved neighbor that they run beside.

mod drops;
mod floods;
mod forged;
mod leaks_million;
mod memory;
mod names;
mod neighbour;
mod one_call;
mod random_calls;
mod reads;
mod runs;
mod sends;
mod spins;
mod stale;
mod timers;
mod tokens;
mod writes;

uv_handles_test_guests::cases!(
    drops,
    floods,
    forged,
    leaks_million,
    memory,
    names,
    neighbour,
    one_call,
    random_calls,
    reads,
    runs,
    sends,
    spins,
    stale,
    timers,
    tokens,
    writes,
);
