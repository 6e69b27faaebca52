//! Prints the status codes as a guest sees them: name, number, message.

use uv_handles::StatusCode;

pub fn main() {
    for &status in [StatusCode::SUCCESS].iter().chain(StatusCode::ERRORS) {
        println!("{} {} {}", status.name(), status.code(), status.message());
    }
}
