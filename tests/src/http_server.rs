//! An HTTP server on loopback whose answers are written by hand: wrong, slow and cut ones too.

use crate::os::{accept, listener};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;

/// Reads the head of a request, and its body if it has a length.
fn request(client: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
        text.extend(byte);
    }
    let head = String::from_utf8(text).unwrap();
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body).unwrap();
    head
}

/// Answers a request on its connection, which is kept if it is returned.
pub type Answer = Box<dyn FnOnce(TcpStream, String) -> Option<TcpStream> + Send>;

/// A server for as many connections as there are answers.
///
/// # Panics
///
/// In its thread, if fewer come.
pub fn server(answers: Vec<Answer>) -> SocketAddr {
    let (listener, address) = listener();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for answer in answers {
            let mut client = accept(&listener);
            let head = request(&mut client);
            kept.extend(answer(client, head));
        }
        // Until the process ends.
        loop {
            thread::park();
        }
    });
    address
}

/// An answer that is sent as it is, after which the connection is closed.
pub fn text(text: &'static str) -> Answer {
    Box::new(move |mut client, _| {
        client.write_all(text.as_bytes()).unwrap();
        None
    })
}
