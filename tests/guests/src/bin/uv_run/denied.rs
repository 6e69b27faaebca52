//! Asks for what was not granted, for each three times; with the argument `long` by names of a
//! mebibyte.

use uv_handles::{Async, AsyncSender, Descriptor, Loop, Result, Signal, Signum, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    if uv_handles_test_guests::args().any(|arg| arg == "long") {
        for n in 0..3 {
            let name = format!("{}{n}", "\u{1}".repeat(1 << 20));
            assert_refused(Descriptor::open(&name), StatusCode::ENOENT);
            assert_refused(Async::named(&event_loop, &name), StatusCode::ENOENT);
            assert_refused(AsyncSender::open(&name), StatusCode::ENOENT);
        }
        println!("went on");
        return Ok(());
    }
    let signal = Signal::new(&event_loop)?;
    for _ in 0..3 {
        for name in ["clients", "stdin", "stdout"] {
            assert_refused(Descriptor::open(name), StatusCode::ENOENT);
        }
        assert_refused(signal.start(Signum::SIGHUP), StatusCode::EACCES);
        assert_refused(Async::named(&event_loop, "print"), StatusCode::ENOENT);
        assert_refused(AsyncSender::open("jobs"), StatusCode::ENOENT);
    }
    println!("went on");
    Ok(())
}
