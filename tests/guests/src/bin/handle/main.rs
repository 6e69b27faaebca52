//! Behavior that all kinds of handles share: closing, references, dropping, and their number.

mod active_while_started;
mod base_members;
mod callbacks_never_nest;
mod close_in_callbacks;
mod close_order;
mod closed_after_check;
mod detached;
mod dropped_resources;
mod limit;
mod made_in_a_close_callback;
mod unreferenced_ends_the_run;
mod without_a_callback;

uv_handles_test_guests::cases!(
    active_while_started,
    base_members,
    callbacks_never_nest,
    close_in_callbacks,
    close_order,
    closed_after_check,
    detached,
    dropped_resources,
    limit,
    made_in_a_close_callback,
    unreferenced_ends_the_run,
    without_a_callback,
);
