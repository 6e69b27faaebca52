//! Datagrams: each with its sender, one at a time, cut to what was asked for.
//!
//! A program of its own: a test looks at its imports.

use std::rc::Rc;
use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode, StatusCode};
use uv_handles_test_guests::assert_refused;

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let socket = Rc::new(Descriptor::open("udp")?);
    let mut buffer = [0; 100];
    assert_refused(socket.recv_from(&mut buffer), StatusCode::EAGAIN);
    for address in ["", "localhost:80", "127.0.0.1", "/tmp/socket", "127.0.0.1:99999"] {
        assert_refused(socket.send_to(b"x", address), StatusCode::EINVAL);
    }
    println!("{}", socket.local_address()?);
    let poll = Poll::new(&event_loop, &socket)?;
    poll.start_with(PollEvents::READABLE, {
        let socket = socket.clone();
        move |poll, _| {
            let (length, sender) = socket.recv_from(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            println!("{sender} {text}");
            if text == "end" {
                poll.close();
            } else {
                let answer = text.to_uppercase();
                assert_eq!(socket.send_to(answer.as_bytes(), &sender), Ok(answer.len()));
            }
        }
    })?;
    event_loop.run(RunMode::Default)?;
    let too_large = vec![0; 70_000];
    let myself = socket.local_address()?;
    assert_refused(socket.send_to(&too_large, &myself), StatusCode::EMSGSIZE);
    // Of a longer one, the rest is lost.
    assert_eq!(socket.send_to(b"abcdef", &myself), Ok(6));
    assert_eq!(socket.send_to(b"next", &myself), Ok(4));
    assert_eq!(socket.recv_from(&mut buffer[..3])?.0, 3);
    assert_eq!(socket.recv_from(&mut buffer)?.0, 4);
    assert_eq!(&buffer[..4], b"next");
    event_loop.close()
}
