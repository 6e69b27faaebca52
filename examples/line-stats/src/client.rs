//! TCP clients: accepting them, and answering each one when it has sent everything.

use std::rc::Rc;

use uv_handles::{Descriptor, Error, Handle, Poll, PollEvents, Result, StatusCode, Timer};

use crate::filter::Filter;
use crate::input::Input;

/// Milliseconds until accepting is tried again after it has failed.
const RETRY: u64 = 100;

/// Accepts clients on a listening socket.
///
/// One in each iteration: a poll handle is level-triggered, so it is called again at once if more
/// are waiting. When accepting fails, most likely because the host's limit of descriptors is
/// reached, the socket stays ready, and polling it would only keep the loop busy. A timer starts
/// polling again later; until then it keeps the loop alive in place of the poll handle.
pub fn listen(filter: &Rc<Filter>, socket: Descriptor) -> Result<()> {
    let listener = Poll::new(filter.event_loop(), &socket)?;
    let retry = Timer::new(filter.event_loop())?;
    let resumed = listener.clone();
    retry.set_callback(move |_| {
        // Refused only if the handle is closing; then no clients are accepted any more.
        let _ = resumed.start(PollEvents::READABLE);
    });
    let filter = filter.clone();
    listener.start_with(PollEvents::READABLE, move |listener, ready| match socket.accept() {
        Ok(connection) => {
            // Refused at the host's limit of handles. Then the connection is closed right here.
            if Input::start(&filter, connection, answer).is_ok() {
                filter.with_stats(|stats| stats.clients += 1);
            }
        }
        Err(Error::Status(StatusCode::EAGAIN)) if ready.is_ok() => {}
        Err(_) => {
            listener.stop();
            filter.check(retry.start(RETRY, 0));
        }
    })
}

/// Sends a client its counts, then closes its connection.
fn answer(client: &Rc<Input>) {
    let (lines, bytes) = client.totals();
    let mut rest = format!("you sent {lines} lines, {bytes} bytes\n").into_bytes();
    if !write_some(client.descriptor(), &mut rest) {
        client.poll().close();
        return;
    }
    // Now the handle waits for room. Its new callback owns the client, as the one before did.
    let waiting = client.clone();
    let started = client.poll().start_with(PollEvents::WRITABLE, move |poll, ready| {
        if ready.is_err() || !write_some(waiting.descriptor(), &mut rest) {
            poll.close();
        }
    });
    if started.is_err() {
        client.poll().close();
    }
}

/// Writes as much as fits. Returns whether a rest remains.
fn write_some(descriptor: &Descriptor, rest: &mut Vec<u8>) -> bool {
    match descriptor.write(rest) {
        Ok(written) => {
            rest.drain(..written);
            !rest.is_empty()
        }
        Err(Error::Status(StatusCode::EAGAIN)) => true,
        // EPIPE, ECONNRESET, ...: the client has disconnected.
        Err(_) => false,
    }
}
