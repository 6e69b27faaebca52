//! Runs the models.

use uv_handles_loom::{signals, wake_ups};

#[test]
fn no_send_is_lost() {
    wake_ups::no_send_is_lost();
}

#[test]
fn a_send_to_one_name_does_not_hide_one_to_another() {
    wake_ups::a_send_to_one_name_does_not_hide_one_to_another();
}

#[test]
fn what_was_sent_to_a_closed_handle_does_not_reach_the_next_one() {
    wake_ups::what_was_sent_to_a_closed_handle_does_not_reach_the_next_one();
}

#[test]
fn no_message_is_lost() {
    wake_ups::no_message_is_lost();
}

#[test]
fn a_name_is_opened_by_one_of_two_guests() {
    wake_ups::a_name_is_opened_by_one_of_two_guests();
}

#[test]
fn a_guest_that_is_gone_is_left_alone() {
    wake_ups::a_guest_that_is_gone_is_left_alone();
}

#[test]
fn no_delivery_is_lost() {
    signals::no_delivery_is_lost();
}

#[test]
fn a_log_that_overflows_goes_on() {
    signals::a_log_that_overflows_goes_on();
}
