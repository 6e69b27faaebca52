//! Idle, prepare and check handles, and the phases of an iteration.

mod callback_replaced;
mod closed_in_the_phase_are_not_called;
mod dereferenced_in_the_callback;
mod idle_does_not_starve_others;
mod idle_does_not_wait;
mod idle_that_stops_does_not_wait;
mod order;
mod phases;
mod start_and_stop_each_other;
mod started_inside_the_phase;
mod unreferenced;

uv_handles_test_guests::cases!(
    callback_replaced,
    closed_in_the_phase_are_not_called,
    dereferenced_in_the_callback,
    idle_does_not_starve_others,
    idle_does_not_wait,
    idle_that_stops_does_not_wait,
    order,
    phases,
    start_and_stop_each_other,
    started_inside_the_phase,
    unreferenced,
);
