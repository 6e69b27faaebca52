//! A refused call drops the pollable: the stream that it comes from can be dropped.

use uv_handles::{Error, Handle, Loop, Poll, Result, StatusCode};
use uv_handles_test_guests::assert_refused;
use wasip2::cli::stdin::get_stdin;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let stream = get_stdin();
    let first = Poll::on_pollable(&event_loop, stream.subscribe())?;
    let other = get_stdin();
    if uv_handles_test_guests::args().any(|arg| arg == "limited") {
        assert_refused(Poll::on_pollable(&event_loop, other.subscribe()), StatusCode::ENOMEM);
    }
    let closed = Loop::new()?;
    closed.close()?;
    assert!(matches!(Poll::on_pollable(&closed, other.subscribe()), Err(Error::LoopClosed)));
    drop(other);
    first.close();
    drop(stream);
    Ok(())
}
