//! Poll handles on pollables of WASI.

mod clocks;
mod dropped;
mod many;
mod refused;
mod rules;
mod streams;
mod two_loops;

uv_handles_test_guests::cases!(clocks, dropped, many, refused, rules, streams, two_loops);
