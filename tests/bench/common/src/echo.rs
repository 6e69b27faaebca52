//! Clients of an echo server: each sends a message, reads it back and sends the next.

use crate::MESSAGE;
use crate::session::Peer;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

/// The amount of data that is echoed.
#[derive(Debug, Clone, Copy)]
pub struct Echo {
    /// Clients at the same time.
    pub connections: u64,
    /// Messages of each.
    pub messages: u64,
}

/// The clients, all of them on one thread. They are connected when this returns.
///
/// # Panics
///
/// If the server cannot be reached.
pub fn echo_clients(address: SocketAddr, echo: Echo) -> Peer {
    let connect = || {
        let stream = std::net::TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("it is a socket");
        stream.set_nonblocking(true).expect("it is a socket");
        Client { stream: TcpStream::from_std(stream), left: echo.messages, read: 0 }
    };
    let clients: Vec<Client> = (0..echo.connections).map(|_| connect()).collect();
    Peer::new(move |gate| if gate.recv().is_ok() { run(clients, echo) } else { Vec::new() })
}

struct Client {
    stream: TcpStream,
    /// Messages that have not come back yet.
    left: u64,
    /// Bytes of the present message that have come back.
    read: usize,
}

impl Client {
    fn send(&mut self) {
        // The socket's buffer has room: no other message is in transit.
        let sent = self.stream.write(&[7; MESSAGE]).expect("the server reads");
        assert_eq!(sent, MESSAGE, "a message is sent at once");
    }

    /// Reads until no more bytes are available. True when all messages have come back.
    fn ready(&mut self) -> bool {
        let mut buffer = [0; MESSAGE];
        loop {
            match self.stream.read(&mut buffer[self.read..]) {
                Ok(0) => panic!("the server hangs up"),
                Ok(read) => self.read += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) => panic!("{error}"),
            }
            if self.read == MESSAGE {
                self.read = 0;
                self.left -= 1;
                if self.left == 0 {
                    return true;
                }
                self.send();
                // The answer cannot be there yet; the poll is edge-triggered and reports it.
                return false;
            }
        }
    }
}

fn run(mut clients: Vec<Client>, echo: Echo) -> Vec<(String, f64)> {
    let mut poll = Poll::new().expect("the OS has descriptors");
    for (at, client) in clients.iter_mut().enumerate() {
        poll.registry().register(&mut client.stream, Token(at), Interest::READABLE).expect("it is a socket");
    }
    let begun = Instant::now();
    clients.iter_mut().for_each(Client::send);
    let mut running = clients.len();
    let mut events = Events::with_capacity(clients.len());
    while running > 0 {
        poll.poll(&mut events, None).expect("the OS waits");
        for event in &events {
            let client = &mut clients[event.token().0];
            if client.left > 0 && client.ready() {
                running -= 1;
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    // Only now, so that all connections exist during the whole measurement.
    drop(clients);
    vec![("messages_per_s".to_owned(), (echo.connections * echo.messages) as f64 / seconds)]
}
