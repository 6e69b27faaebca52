//! Timers.

mod a_day_passes_at_once;
mod again;
mod again_puts_off_the_deadline;
mod due_batch;
mod due_in_a_run_once;
mod huge_repeat_is_not_called_again;
mod huge_timeout_does_not_hold_up_others;
mod is_called_once_after_a_delay;
mod limits_of_time;
mod made_ahead;
mod new_is_not_active;
mod once;
mod once_repeating_and_stopped;
mod real_time;
mod repeat;
mod set_repeat;
mod start_order;
mod start_while_closing_is_refused;
mod started_in_check;
mod started_twice_is_called_once;
mod zero_timeout_waits_for_the_next_phase;

uv_handles_test_guests::cases!(
    a_day_passes_at_once,
    again,
    again_puts_off_the_deadline,
    due_batch,
    due_in_a_run_once,
    huge_repeat_is_not_called_again,
    huge_timeout_does_not_hold_up_others,
    is_called_once_after_a_delay,
    limits_of_time,
    made_ahead,
    new_is_not_active,
    once,
    once_repeating_and_stopped,
    real_time,
    repeat,
    set_repeat,
    start_order,
    start_while_closing_is_refused,
    started_in_check,
    started_twice_is_called_once,
    zero_timeout_waits_for_the_next_phase,
);
