//! Reads a named pipe to its end, and tells how many bytes that were and what they add up to.

pub fn main() -> uv_handles::Result<()> {
    uv_handles_test_guests::print_sum_of("fifo")
}
