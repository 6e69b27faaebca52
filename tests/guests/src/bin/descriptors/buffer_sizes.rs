//! The buffer sizes of sockets: what is set is what is read back. Pipes have none.

use uv_handles::{Descriptor, Result, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    for name in ["tcp", "unix", "listener", "udp"] {
        let socket = Descriptor::open(name)?;
        assert!(socket.send_buffer_size()? > 0 && socket.receive_buffer_size()? > 0);
        // Above the kernel's minimum, and below what it allows everybody.
        for size in [4096, 8192, 10_000, 65_536, 100_001, 8192] {
            socket.set_send_buffer_size(size)?;
            assert_eq!(socket.send_buffer_size(), Ok(size), "{name}");
            socket.set_receive_buffer_size(size + 1)?;
            assert_eq!(socket.receive_buffer_size(), Ok(size + 1), "{name}");
            assert_eq!(socket.send_buffer_size(), Ok(size), "{name}");
        }
        for size in [0, i32::MAX as u32 + 1, u32::MAX] {
            assert_refused(socket.set_send_buffer_size(size), StatusCode::EINVAL);
            assert_refused(socket.set_receive_buffer_size(size), StatusCode::EINVAL);
        }
        assert_eq!(socket.send_buffer_size(), Ok(8192), "{name}: what was refused has changed nothing");
        // Beyond the system's limits, what is set is cut and not refused.
        socket.set_send_buffer_size(i32::MAX as u32)?;
        assert!(socket.send_buffer_size()? > 8192);
    }
    let pipe = Descriptor::open("pipe")?;
    assert_refused(pipe.send_buffer_size(), StatusCode::ENOTSOCK);
    assert_refused(pipe.receive_buffer_size(), StatusCode::ENOTSOCK);
    assert_refused(pipe.set_send_buffer_size(8192), StatusCode::ENOTSOCK);
    assert_refused(pipe.set_receive_buffer_size(8192), StatusCode::ENOTSOCK);
    Ok(())
}
