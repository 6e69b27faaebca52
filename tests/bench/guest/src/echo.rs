//! An echo server on poll handles.

use crate::control;
use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Descriptor, Error, Handle, Loop, Poll, PollEvents, Result, RunMode, StatusCode};

/// Serves this many clients, each until it disconnects.
pub fn serve(connections: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    let listener = Descriptor::open("clients")?;
    let (bytes, ended) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let accepting = Poll::new(&event_loop, &listener)?;
    let (counted, hung_up, owner) = (bytes.clone(), ended.clone(), event_loop.clone());
    let mut left = connections;
    accepting.start_with(PollEvents::READABLE, move |accepting, ready| {
        assert_eq!(ready, Ok(PollEvents::READABLE));
        let client = match listener.accept() {
            Err(Error::Status(StatusCode::EAGAIN)) => return,
            client => client.expect("a client waits"),
        };
        serve_client(&owner, client, counted.clone(), hung_up.clone()).expect("there are handles");
        left -= 1;
        if left == 0 {
            accepting.close();
        }
    })?;
    control::begin();
    event_loop.run(RunMode::Default)?;
    control::end();
    control::count("operations", bytes.get() / 1024);
    control::count("connections", ended.get());
    event_loop.close()
}

fn serve_client(
    event_loop: &Loop,
    client: Descriptor,
    bytes: Rc<Cell<u64>>,
    ended: Rc<Cell<u64>>,
) -> Result<()> {
    let poll = Poll::new(event_loop, &client)?;
    let mut buffer = [0; 4096];
    poll.start_with(PollEvents::READABLE, move |poll, ready| {
        assert!(ready.is_ok());
        match client.read(&mut buffer) {
            Ok(0) => {
                ended.set(ended.get() + 1);
                poll.close();
            }
            Ok(read) => {
                // The client waits for it: there is room.
                assert_eq!(client.write(&buffer[..read]), Ok(read));
                bytes.set(bytes.get() + read as u64);
            }
            Err(Error::Status(StatusCode::EAGAIN)) => {}
            Err(error) => panic!("{error}"),
        }
    })
}
