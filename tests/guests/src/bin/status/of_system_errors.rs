//! An error of the host's OS reaches the guest under libuv's name.

use uv_handles::{Descriptor, Loop, Poll, Result, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let file = Descriptor::open("file")?;
    assert_refused(Poll::new(&event_loop, &file), StatusCode::EPERM);
    assert_refused(file.accept(), StatusCode::ENOTSOCK);
    assert_refused(Descriptor::open("directory")?.read_vec(1), StatusCode::EISDIR);
    assert_refused(Descriptor::open("pipe")?.write(b"no reader"), StatusCode::EPIPE);
    let socket = Descriptor::open("socket")?;
    assert_refused(socket.accept(), StatusCode::EINVAL);
    assert_refused(socket.read_vec(1), StatusCode::EAGAIN);
    Ok(())
}
