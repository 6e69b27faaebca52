//! A flag that can be polled.

use crate::os::windows::fd::{OwnedFd, errno};
use rustix::io;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// A flag whose socket is readable while it is set: a connection of this process with itself, with a
/// byte in it. Both ends are in non-blocking mode.
#[derive(Debug)]
pub(crate) struct Event {
    reader: TcpStream,
    writer: TcpStream,
}

impl Event {
    pub(crate) fn new() -> io::Result<Event> {
        let make = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let writer = TcpStream::connect(listener.local_addr()?)?;
            let reader = loop {
                // Another process may be faster to connect.
                let (accepted, peer) = listener.accept()?;
                if peer == writer.local_addr()? {
                    break accepted;
                }
            };
            reader.set_nonblocking(true)?;
            writer.set_nonblocking(true)?;
            Ok(Event { reader, writer })
        };
        make().map_err(errno)
    }

    pub(crate) fn set(&self) {
        // It fails only if there is no room, and then the flag is set.
        let _ = (&self.writer).write(&[0]);
    }

    pub(crate) fn clear(&self) {
        while (&self.reader).read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
    }

    /// Returns a new socket to be polled. It is always writable.
    pub(crate) fn open(&self) -> io::Result<OwnedFd> {
        self.reader.try_clone().map(Into::into).map_err(errno)
    }
}
