//! Signal handles.

mod after_other_events;
mod closed_keeps_the_loop_alive;
mod closed_while_pending;
mod counted;
mod flood;
mod kill;
mod many_guests;
mod mixed;
mod oneshot;
mod oneshot_again;
mod refused;
mod started_again;
mod stopped;
mod trap;
mod two_guests;
mod two_loops;
mod two_signals;
mod withdrawn_while_pending;

uv_handles_test_guests::cases!(
    after_other_events,
    closed_keeps_the_loop_alive,
    closed_while_pending,
    counted,
    flood,
    kill,
    many_guests,
    mixed,
    oneshot,
    oneshot_again,
    refused,
    started_again,
    stopped,
    trap,
    two_guests,
    two_loops,
    two_signals,
    withdrawn_while_pending,
);
