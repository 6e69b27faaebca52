//! Asks for what was not granted, for each three times.

use uv_handles::{Async, Descriptor, Loop, Result, Signal, Signum, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let signal = Signal::new(&event_loop)?;
    for _ in 0..3 {
        for name in ["clients", "stdin", "stdout"] {
            assert_refused(Descriptor::open(name), StatusCode::ENOENT);
        }
        assert_refused(signal.start(Signum::SIGHUP), StatusCode::EACCES);
        assert_refused(Async::named(&event_loop, "print"), StatusCode::ENOENT);
    }
    println!("went on");
    Ok(())
}
