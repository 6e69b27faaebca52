//! The loop: run modes, stopping, closing, time, and more than one loop in a guest.

mod after_another;
mod alive;
mod as_if_one_at_a_time;
mod batches;
mod close;
mod dropped_first;
mod embedded;
mod goes_on_after_a_stop;
mod limit;
mod lists_handles_until_they_are_closed;
mod mode_once;
mod nested;
mod next_callbacks;
mod next_refused;
mod next_waits;
mod once_is_one_iteration;
mod poll_timeout;
mod run_modes;
mod run_refreshes_the_time;
mod stop;
mod stopped_before_the_run;
mod time;
mod time_refreshed;
mod two_loops;
mod wait_survives_signals;

uv_handles_test_guests::cases!(
    after_another,
    alive,
    as_if_one_at_a_time,
    batches,
    close,
    dropped_first,
    embedded,
    goes_on_after_a_stop,
    limit,
    lists_handles_until_they_are_closed,
    mode_once,
    nested,
    next_callbacks,
    next_refused,
    next_waits,
    once_is_one_iteration,
    poll_timeout,
    run_modes,
    run_refreshes_the_time,
    stop,
    stopped_before_the_run,
    time,
    time_refreshed,
    two_loops,
    wait_survives_signals,
);
