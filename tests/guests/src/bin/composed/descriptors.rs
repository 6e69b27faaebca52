//! The operations of each kind of descriptor in a composed guest, and the errors of those that it does not have.

use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode, Shutdown, StatusCode};
use uv_handles_test_guests::{Trace, assert_refused};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let watch = |descriptor: &Descriptor, events| {
        let poll = Poll::new(&event_loop, descriptor).unwrap();
        let trace = trace.clone();
        poll.start_with(events, move |_, ready| trace.add(format!("{ready:?}"))).unwrap();
        poll
    };
    // A run that has handles to close does not wait.
    let close = |poll: Poll| {
        poll.close();
        event_loop.run(RunMode::NoWait).unwrap();
    };
    let all = [PollEvents::READABLE, PollEvents::WRITABLE, PollEvents::DISCONNECT, PollEvents::PRIORITIZED];
    let all = all.into_iter().fold(PollEvents::NONE, |all, one| all | one);

    // Listening sockets.
    let listener = Descriptor::open("listener")?;
    assert_refused(listener.accept(), StatusCode::EAGAIN);
    assert_refused(listener.read_vec(1), StatusCode::ENOTCONN);
    assert_eq!(listener.read_vec(0), Ok(vec![]));
    assert_refused(listener.write(b"x"), StatusCode::EPIPE);
    assert_refused(listener.peer_address(), StatusCode::ENOTCONN);
    assert_refused(listener.shutdown(Shutdown::Both), StatusCode::ENOTCONN);
    assert_refused(listener.recv_from(&mut [0]), StatusCode::ENOSYS);
    let accepting = watch(&listener, all);
    assert_eq!(accepting.fileno(), Ok(listener.fileno()));
    assert!(event_loop.run(RunMode::NoWait)?);
    assert!(trace.is_empty());
    println!("{}", listener.local_address()?);
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "Ok(READABLE)");
    accepting.stop();
    let client = listener.accept()?;
    assert_refused(listener.accept(), StatusCode::EAGAIN);
    println!("{}", client.peer_address()?);
    assert_eq!(client.local_address(), listener.local_address());
    assert_ne!(client.fileno(), listener.fileno());

    // Connections: nothing has come yet. Writable is the only thing that can be said.
    assert_refused(client.accept(), StatusCode::EINVAL);
    assert_refused(client.read_vec(1), StatusCode::EAGAIN);
    assert_refused(client.send_to(b"x", "127.0.0.1:1"), StatusCode::ENOSYS);
    assert_eq!(client.write(b""), Ok(0));
    let poll = watch(&client, all);
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "Ok(WRITABLE)");
    poll.start(PollEvents::READABLE | PollEvents::DISCONNECT)?;
    assert_eq!(client.write(b"hello"), Ok(5));
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "Ok(READABLE)");
    assert_eq!(client.read_vec(2)?, b"an");
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "Ok(READABLE)", "the rest is still there");
    assert_eq!(client.read_vec(100)?, b"swer");
    assert_refused(client.read_vec(100), StatusCode::EAGAIN);
    event_loop.run(RunMode::NoWait)?;
    assert!(trace.is_empty());
    println!("end");
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "Ok(READABLE | DISCONNECT)");
    assert_eq!(client.read_vec(1), Ok(vec![]));
    for size in [8192, 65_536] {
        client.set_send_buffer_size(size)?;
        client.set_receive_buffer_size(size + 1)?;
        assert_eq!((client.send_buffer_size(), client.receive_buffer_size()), (Ok(size), Ok(size + 1)));
    }
    assert_refused(client.set_send_buffer_size(0), StatusCode::EINVAL);
    assert_refused(client.set_receive_buffer_size(u32::MAX), StatusCode::EINVAL);
    client.shutdown(Shutdown::Write)?;
    assert_refused(client.write(b"late"), StatusCode::EPIPE);
    poll.start(PollEvents::WRITABLE)?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "Ok(WRITABLE)", "both sides have ended, which is a hang-up");
    close(poll);

    // Standard streams are no sockets. They stay open when their descriptor is dropped.
    let stdin = Descriptor::open("stdin")?;
    assert_refused(stdin.write(b"x"), StatusCode::EBADF);
    assert_refused(stdin.accept(), StatusCode::ENOTSOCK);
    assert_refused(stdin.shutdown(Shutdown::Read), StatusCode::ENOTSOCK);
    assert_refused(stdin.local_address(), StatusCode::ENOTSOCK);
    assert_refused(stdin.peer_address(), StatusCode::ENOTSOCK);
    assert_refused(stdin.recv_from(&mut [0]), StatusCode::ENOTSOCK);
    assert_refused(stdin.send_buffer_size(), StatusCode::ENOTSOCK);
    let input = watch(&stdin, PollEvents::READABLE);
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "Ok(READABLE)");
    assert_eq!(stdin.read_vec(3)?, b"fir");
    close(input);
    drop(stdin);
    let stdin = Descriptor::open("stdin")?;
    assert_eq!(stdin.read_vec(100)?, b"st", "what was read ahead is not lost");

    let stdout = Descriptor::open("out")?;
    assert_refused(stdout.read_vec(1), StatusCode::EBADF);
    let output = watch(&stdout, PollEvents::WRITABLE | PollEvents::READABLE);
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "Ok(WRITABLE)");
    assert_eq!(stdout.write(b"through a descriptor\n"), Ok(21));
    close(output);

    // A wait that nothing can end is refused: WASI does not report priority data.
    let urgent = watch(&stdin, PollEvents::PRIORITIZED);
    event_loop.run(RunMode::NoWait)?;
    assert_refused(event_loop.run(RunMode::Once).map(drop), StatusCode::ECANCELED);
    drop(stdin);
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "Err(EBADF)");
    urgent.close();
    accepting.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
