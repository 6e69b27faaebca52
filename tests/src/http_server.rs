//! An HTTP server on loopback that gives the answers of a test, good and bad ones.

use crate::os::{accept, listener};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;

/// Answers a request, of which it gets the text, on its connection. The connection is kept open if
/// it is returned.
pub type Answer = Box<dyn FnOnce(TcpStream, String) -> Option<TcpStream> + Send>;

/// A server for as many connections as there are answers, one after the other.
pub fn server(answers: impl IntoIterator<Item = Answer> + Send + 'static) -> SocketAddr {
    let (listener, address) = listener();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for answer in answers {
            let mut client = accept(&listener);
            let request = read_request(&mut client);
            kept.extend(answer(client, request));
        }
        // Until the process ends.
        loop {
            thread::park();
        }
    });
    address
}

/// An answer that is sent as it is, after which the connection is closed.
pub fn text(text: impl Into<String>) -> Answer {
    let text = text.into();
    Box::new(move |mut client, _| {
        // The client may be gone.
        let _ = client.write_all(text.as_bytes());
        None
    })
}

/// A response with these headers, each with its line end, and this body.
pub fn response(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

/// An answer whose body is the request.
pub fn echo() -> Answer {
    Box::new(|mut client, request| {
        let _ = client.write_all(response("200 OK", "", &request).as_bytes());
        None
    })
}

/// An answer that never comes.
pub fn silence() -> Answer {
    Box::new(|client, _| Some(client))
}

/// An answer whose body has no end, until the client has closed the connection.
pub fn endless() -> Answer {
    Box::new(|mut client, _| {
        thread::spawn(move || {
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while client.write_all(&[b'a'; 4096]).is_ok() {}
        });
        None
    })
}

/// Reads a request: its head, and its body if that has a length.
///
/// # Panics
///
/// If its head is no text.
pub fn read_request(client: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
        text.extend(byte);
    }
    let head = String::from_utf8(text).expect("heads are text");
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    // A client that is cancelled does not send all of it.
    let _ = client.read_exact(&mut body);
    head + &String::from_utf8_lossy(&body)
}
