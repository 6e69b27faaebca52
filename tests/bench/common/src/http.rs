//! A server of HTTP, for the works with requests. Each request comes on a connection of its own.

use crate::session::Peer;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

/// The work of the server.
#[derive(Debug, Clone, Copy)]
pub enum Requests {
    /// Answers this many requests, one after the other.
    AtOnce(u64),
    /// Answers one request. Then it waits until it has this many, and one for `/now`, which it answers.
    /// After another one for `/now` it answers all. They arrive in any order.
    Pending(u64),
}

/// The server, on a thread of its own. It listens when this returns.
///
/// # Panics
///
/// If the OS has no ports.
pub fn http_server(requests: Requests) -> (SocketAddr, Peer) {
    let listener = listener().expect("there is a free port");
    let address = listener.local_addr().expect("it is bound");
    let peer = Peer::new(move |_| {
        let requested = || requested(&listener);
        match requests {
            Requests::AtOnce(many) => (0..many).for_each(|_| answer(requested().client)),
            Requests::Pending(many) => {
                answer(requested().client);
                let all = (0..=many).map(|_| requested());
                let (now, pending): (Vec<Request>, Vec<Request>) = all.partition(|request| request.is_now);
                now.into_iter().for_each(|request| answer(request.client));
                answer(requested().client);
                pending.into_iter().for_each(|request| answer(request.client));
            }
        }
        Vec::new()
    });
    (address, peer)
}

/// The most clients that wait to be accepted.
const CLIENTS: i32 = 4_096;

/// Listens with room for all clients that connect at once. A listener of the standard library has room for
/// 128. Beyond that Linux keeps a connection in a SYN cookie alone, and may reset it later.
fn listener() -> io::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    rustix::net::listen(&listener, CLIENTS)?;
    Ok(listener)
}

struct Request {
    client: TcpStream,
    is_now: bool,
}

/// The next connection, when its request has arrived.
fn requested(listener: &TcpListener) -> Request {
    let (mut client, _) = listener.accept().expect("the guest connects");
    client.set_nodelay(true).expect("it is a socket");
    let (mut head, mut buffer) = (Vec::new(), [0; 1024]);
    while !is_whole(&head) {
        let read = client.read(&mut buffer).expect("the guest sends a request");
        assert!(read > 0, "the guest hangs up");
        head.extend(&buffer[..read]);
    }
    Request { client, is_now: head.starts_with(b"GET /now ") }
}

/// Whether all of a request has come. Its body is empty, but it may be sent as the last of some chunks.
fn is_whole(request: &[u8]) -> bool {
    let is_chunked = request.windows(7).any(|word| word.eq_ignore_ascii_case(b"chunked"));
    request.ends_with(if is_chunked { b"\r\n0\r\n\r\n" } else { b"\r\n\r\n" })
}

fn answer(mut client: TcpStream) {
    let response = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
    client.write_all(response).expect("the guest reads");
    // A connection that is closed before all of the request has been read is reset.
    client.shutdown(Shutdown::Write).expect("it is connected");
    while client.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
}
