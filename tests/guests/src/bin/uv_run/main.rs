//! Guests for the tests of the command `uv-run`, which are in the suites `uv_run` and `uv_run_*`.

mod bad_input_prints_forever;
mod bad_input_trap;
mod config_wasi;
mod denied;
mod descriptors_copy;
mod exit;
mod limits_many_timers;
mod limits_memory;
mod listen;
mod signal;
mod time_a_day;
mod time_never_ends;
mod wake_ups;

uv_handles_test_guests::cases!(
    bad_input_prints_forever,
    bad_input_trap,
    config_wasi,
    denied,
    descriptors_copy,
    exit,
    limits_many_timers,
    limits_memory,
    listen,
    signal,
    time_a_day,
    time_never_ends,
    wake_ups,
);
