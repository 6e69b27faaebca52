//! Prints its address, accepts three TCP clients and sends each back what it sends, until it ends.
//!
//! A program of its own: it runs composed on other runtimes, and a test looks at its imports.

use std::rc::Rc;
use uv_handles::{Descriptor, Error, Handle, Loop, Poll, PollEvents, Result, RunMode, StatusCode};

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let listener = Descriptor::open("clients")?;
    println!("{}", listener.local_address()?);
    let accepting = Poll::new(&event_loop, &listener)?;
    let mut left = 3;
    accepting.start_with(PollEvents::READABLE, move |accepting, ready| {
        assert_eq!(ready, Ok(PollEvents::READABLE));
        match listener.accept() {
            Ok(client) => {
                serve(&accepting.event_loop(), client).unwrap();
                left -= 1;
                if left == 0 {
                    accepting.close();
                }
            }
            Err(error) => assert_eq!(error, StatusCode::EAGAIN.into()),
        }
    })?;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}

/// Reads only when everything is written, so that the client has to wait for itself.
fn serve(event_loop: &Loop, client: Descriptor) -> Result<()> {
    let poll = Poll::new(event_loop, &client)?;
    let client = Rc::new(client);
    poll.start_with(PollEvents::READABLE, move |poll, _| read(poll, &client))
}

fn read(poll: &Poll, client: &Rc<Descriptor>) {
    match client.read_vec(100_000) {
        Ok(bytes) if bytes.is_empty() => poll.close(),
        Ok(bytes) => {
            let (client, mut rest) = (client.clone(), bytes);
            let start = poll.start_with(PollEvents::WRITABLE, move |poll, ready| {
                assert_eq!(ready, Ok(PollEvents::WRITABLE));
                match client.write(&rest) {
                    Ok(written) => drop(rest.drain(..written)),
                    Err(error) => assert_eq!(error, Error::from(StatusCode::EAGAIN)),
                }
                if rest.is_empty() {
                    let client = client.clone();
                    poll.start_with(PollEvents::READABLE, move |poll, _| read(poll, &client)).unwrap();
                }
            });
            start.unwrap();
        }
        Err(error) => assert_eq!(error, StatusCode::EAGAIN.into()),
    }
}
