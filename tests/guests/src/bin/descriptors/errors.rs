//! Reads of several lengths, and the errors of reading, writing and accepting. A read brings ten bytes
//! at most, whatever is asked for.

use std::io::{ErrorKind, Read, Write};
use uv_handles::{Descriptor, Result, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let mut socket = Descriptor::open("socket")?;
    assert_refused(socket.read_vec(1), StatusCode::EAGAIN);
    assert_eq!(Read::read(&mut socket, &mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(socket.read_vec(0), Ok(vec![]));
    assert_eq!(socket.write(b""), Ok(0));
    assert_refused(socket.accept(), StatusCode::EINVAL);

    let peer = Descriptor::open("peer")?;
    assert_eq!(peer.write(&[5; 25]), Ok(25));
    assert_eq!(socket.read_vec(u32::MAX)?.len(), 10);
    assert_eq!(socket.read_vec(3)?.len(), 3);
    let mut bytes = [0; 100];
    assert_eq!(Read::read(&mut socket, &mut bytes).unwrap(), 10);
    assert_eq!(socket.read_vec(11)?.len(), 2);
    assert_refused(socket.read_vec(11), StatusCode::EAGAIN);
    Write::write_all(&mut socket, b"through the trait").unwrap();

    // Short reads, each into a part of a buffer.
    let text = b"abcdefghijklmnopqrstu";
    assert_eq!(peer.write(text), Ok(21));
    let mut short = [0; 10];
    assert_eq!(socket.read(&mut short[..0]), Ok(0));
    for (from, length) in [(0, 1), (1, 8), (9, 9)] {
        short.fill(b'.');
        assert_eq!(socket.read(&mut short[..length]), Ok(length));
        assert_eq!(short[..length], text[from..from + length]);
        assert!(short[length..].iter().all(|byte| *byte == b'.'));
    }
    short.fill(b'.');
    assert_eq!(socket.read(&mut short[..8]), Ok(3));
    assert_eq!(&short[..5], b"stu..", "the rest of the buffer is as before");
    assert_refused(socket.read(&mut short[..8]), StatusCode::EAGAIN);

    // And short writes.
    for length in 0..10 {
        assert_eq!(peer.write(&text[..length]), Ok(length));
        let mut read = [0; 10];
        let expected = if length == 0 { Err(StatusCode::EAGAIN.into()) } else { Ok(length) };
        assert_eq!(socket.read(&mut read), expected);
        assert_eq!(read[..length], text[..length]);
    }

    let listener = Descriptor::open("listener")?;
    assert_refused(listener.accept(), StatusCode::EAGAIN);
    assert_refused(listener.read_vec(1), StatusCode::ENOTCONN);
    assert_refused(listener.read(&mut short[..1]), StatusCode::ENOTCONN);
    assert_refused(listener.write(b"x"), StatusCode::EPIPE);
    assert_refused(listener.write(b"more than 8 bytes"), StatusCode::EPIPE);
    assert_eq!(listener.read_vec(0), Ok(vec![]));

    let (reads, writes) = (Descriptor::open("reads")?, Descriptor::open("writes")?);
    assert_refused(reads.write(b"x"), StatusCode::EBADF);
    assert_refused(reads.write(b"more than 8 bytes"), StatusCode::EBADF);
    assert_refused(writes.read_vec(1), StatusCode::EBADF);
    assert_refused(writes.read(&mut short[..1]), StatusCode::EBADF);
    assert_refused(reads.accept(), StatusCode::ENOTSOCK);
    assert_refused(reads.recv_from(&mut bytes), StatusCode::ENOTSOCK);
    assert_refused(writes.send_to(b"x", "127.0.0.1:1"), StatusCode::ENOTSOCK);
    assert_refused(reads.read_vec(1), StatusCode::EAGAIN);
    Ok(())
}
