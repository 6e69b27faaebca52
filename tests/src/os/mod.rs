//! The test's side of the OS: peers of the guests' descriptors, signals, and descriptors' modes.
//!
//! Windows has a part of it. Tests that use the rest are for Unix, or for Linux, alone.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(all(unix, not(target_os = "linux")))]
mod other_unix;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::*;
#[cfg(all(unix, not(target_os = "linux")))]
pub use other_unix::*;
#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

use crate::PATIENCE;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use tempfile::TempDir;

/// A signal of terminals, which no test minds. Guests have Linux's numbers.
pub const SIGWINCH: i32 = 28;

/// A signal of sockets, which no test minds.
pub const SIGURG: i32 = 23;

/// A signal that is never sent here.
pub const SIGIO: i32 = 29;

/// Another signal that is never sent here.
pub const SIGPWR: i32 = 30;

/// A directory, and the name of a file in it that is not there yet.
pub fn place() -> (TempDir, String) {
    let dir = tempfile::tempdir().expect("there is room for temporary files");
    let path = dir.path().join("place").to_str().expect("a plain path").to_owned();
    (dir, path)
}

/// A listening socket on a free port, and its address.
pub fn listener() -> (TcpListener, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A connection to that address, which waits with patience.
pub fn connect(address: std::net::SocketAddr) -> TcpStream {
    patient_tcp(TcpStream::connect_timeout(&address, PATIENCE).expect("somebody listens"))
}

/// The next connection to a listening socket. Both wait with patience.
///
/// # Panics
///
/// If no connection comes.
pub fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let mut accepted = None;
    crate::wait_until("somebody connects", || {
        accepted = listener.accept().ok();
        accepted.is_some()
    });
    let (stream, _) = accepted.expect("it has been waited for");
    stream.set_nonblocking(false).unwrap();
    patient_tcp(stream)
}

/// A connection that waits with patience.
fn patient_tcp(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Three clients at once of an echo server. Each sends more than fits into both directions' buffers
/// together, so every side has to wait.
///
/// # Panics
///
/// If something else comes back.
pub fn echo_clients(address: std::net::SocketAddr) {
    std::thread::scope(|scope| {
        for n in 0..3u8 {
            scope.spawn(move || {
                let mut client = connect(address);
                let mut sends = client.try_clone().unwrap();
                let sent: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8 ^ n).collect();
                let expected = sent.clone();
                scope.spawn(move || {
                    sends.write_all(&sent).unwrap();
                    sends.shutdown(Shutdown::Write).unwrap();
                });
                let mut received = Vec::new();
                client.read_to_end(&mut received).unwrap();
                assert!(received == expected, "{} bytes came back", received.len());
            });
        }
    });
}

/// Two ends of a TCP connection. The first is this side's: it waits with patience.
pub fn tcp_pair() -> (TcpStream, TcpStream) {
    let (listener, address) = listener();
    let ours = connect(address);
    let (theirs, _) = listener.accept().unwrap();
    (ours, theirs)
}

/// An address that refuses connections, and one end of a connection that keeps the address taken.
pub fn refusing_address() -> (TcpStream, std::net::SocketAddr) {
    let (ours, _) = tcp_pair();
    let address = ours.local_addr().unwrap();
    (ours, address)
}

/// Serves two connections, with a word each. When the second one ends, it no longer listens.
pub fn serve_two_connections(listener: TcpListener) {
    accept(&listener).write_all(b"one").unwrap();
    let mut last = accept(&listener);
    drop(listener);
    last.write_all(b"two").unwrap();
}

/// Reads until the buffer is full. It fails with a clear message if nothing comes.
pub fn read_exactly(mut from: impl Read, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).expect("the guest writes that much");
    bytes
}
