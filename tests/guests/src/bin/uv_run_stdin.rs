//! Reads the granted standard input to its end, and tells how many bytes that were and what they add
//! up to.
//!
//! A program of its own: it runs composed on other runtimes.

fn main() -> uv_handles::Result<()> {
    uv_handles_test_guests::print_sum_of("stdin")
}
