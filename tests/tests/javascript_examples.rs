//! The scripts of examples/javascript, as a user runs them.

use uv_handles_tests::line_stats;
use uv_handles_tests::script::{Ended, JAVASCRIPT};

#[test]
fn first_timer() {
    Ended::of(JAVASCRIPT.example(&["--virtual-time"], "first_timer")).printed(&["half a second later"]);
}

#[test]
fn line_stats_prints_what_the_guest_in_rust_prints() {
    line_stats::prints_what_the_guest_in_rust_prints(&JAVASCRIPT, 50_000);
}

#[test]
fn line_stats_serves_clients_and_answers_to_signals() {
    line_stats::serves_clients_and_answers_to_signals(&JAVASCRIPT);
}

#[test]
fn line_stats_without_anything_to_read_says_so() {
    line_stats::without_anything_to_read_says_so(&JAVASCRIPT);
}
