//! Many messages per second beside clients that misbehave: none of the messages is lost.
//!
//! It takes a few seconds. UV_HANDLES_LOAD_SECONDS is another time: `cargo xtask plugin-host --load`
//! sets it to a minute.

use crate::harness::{Directory, Server};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Messages per second of all clients together.
const RATE: u32 = 2_000;
/// The clients that send them, each on one connection.
const CLIENTS: u32 = 8;

#[test]
fn no_message_is_lost_beside_clients_that_misbehave() {
    let seconds = std::env::var("UV_HANDLES_LOAD_SECONDS");
    let seconds: u32 = seconds.map_or(3, |text| text.parse().expect("a number of seconds"));
    let directory = Directory::new();
    let mailbox = "limits = { mailbox-messages = 1000000, mailbox-bytes = \"64M\" }";
    directory.plugin("counter", "flaky", &format!("{mailbox}\nconfig = {{ mailbox = \"count\" }}"));
    let server = Server::start(directory).loaded();
    server.in_state("counter", "running");

    let (address, ended) = (server.address(), &AtomicBool::new(false));
    let begin = Instant::now();
    let (latencies, rounds) = thread::scope(|scope| {
        let bad = [slow, huge, half_closed]
            .map(|misbehave| scope.spawn(move || misbehave(address, &|| ended.load(Ordering::Relaxed))));
        let each = RATE * seconds / CLIENTS;
        let good: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(move || send(address, begin, each))).collect();
        let latencies: Vec<_> = good.into_iter().flat_map(|client| client.join().unwrap()).collect();
        ended.store(true, Ordering::Relaxed);
        (latencies, bad.map(|client| client.join().unwrap()))
    });
    let took = begin.elapsed();
    let sent = RATE * seconds / CLIENTS * CLIENTS;
    assert_eq!(latencies.len(), sent as usize);
    assert!(rounds.iter().all(|&rounds| rounds > 0), "{rounds:?}");
    assert_eq!(server.post("/plugins/counter/message", b"total").code, 202);
    server.logged(&format!("counter says: total: {sent} messages"));
    report(latencies, took, rounds);
}

fn report(mut latencies: Vec<Duration>, took: Duration, [slow, huge, half_closed]: [u32; 3]) {
    latencies.sort();
    let at = |part: f64| latencies[((latencies.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    let rate = latencies.len() as f64 / took.as_secs_f64();
    println!("{} messages in {:.1} s: {rate:.0} per second, none lost", latencies.len(), took.as_secs_f64());
    println!(
        "answered after {:.2} ms (median), {:.2} ms (p99), {:.1} ms (at most)",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    println!("beside {slow} slow, {huge} huge and {half_closed} half-closed connections");
}

/// Sends messages at a steady rate. Returns the time until each answer.
fn send(address: SocketAddr, begin: Instant, count: u32) -> Vec<Duration> {
    let request =
        format!("POST /plugins/counter/message HTTP/1.1\r\nHost: {address}\r\nContent-Length: 4\r\n\r\ngood");
    let mut stream = None;
    (0..count)
        .map(|n| {
            let due = begin + Duration::from_secs(1) * CLIENTS * n / RATE;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let start = Instant::now();
            let mut connection = stream.take().unwrap_or_else(|| TcpStream::connect(address).unwrap());
            connection.write_all(request.as_bytes()).unwrap();
            let answer = answer(&mut connection);
            assert!(answer.starts_with("HTTP/1.1 202"), "message {n}: {answer:?}");
            // The server closes a connection after some time, and says so.
            if !answer.contains("connection: close") {
                stream = Some(connection);
            }
            start.elapsed()
        })
        .collect()
}

/// An answer without a body.
fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut part = [0; 1024];
    while !answer.ends_with(b"\r\n\r\n") {
        match stream.read(&mut part).unwrap() {
            0 => break,
            length => answer.extend_from_slice(&part[..length]),
        }
    }
    String::from_utf8(answer).unwrap()
}

/// The pause of a client that misbehaves.
const PAUSE: Duration = Duration::from_millis(5);

/// Sends the head, or the body, byte by byte.
fn slow(address: SocketAddr, ended: &dyn Fn() -> bool) -> u32 {
    let head = format!(
        "POST /plugins/counter/message HTTP/1.1\r\nHost: {address}\r\nContent-Length: 1000000\r\n\r\n"
    );
    let mut rounds = 0;
    while !ended() {
        let mut stream = TcpStream::connect(address).unwrap();
        let whole = if rounds % 2 == 0 { 0 } else { head.len() };
        // The server may close the connection at any time.
        let _ = stream.write_all(&head.as_bytes()[..whole]);
        let rest = head.as_bytes()[whole..].iter().copied().chain(std::iter::repeat(b'x'));
        for byte in rest {
            if ended() || stream.write_all(&[byte]).is_err() {
                break;
            }
            thread::sleep(PAUSE);
        }
        rounds += 1;
    }
    rounds
}

/// Sends heads and bodies without end.
fn huge(address: SocketAddr, ended: &dyn Fn() -> bool) -> u32 {
    let post = format!("POST /plugins/counter/message HTTP/1.1\r\nHost: {address}\r\n");
    let begins = [
        format!("{post}Content-Length: 1000000000000\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\nffffffff\r\n"),
        format!("{post}X-Long: "),
    ];
    let mut rounds = 0;
    while !ended() {
        let mut stream = TcpStream::connect(address).unwrap();
        let _ = stream.write_all(begins[rounds as usize % begins.len()].as_bytes());
        while !ended() && stream.write_all(&[b'x'; 64 * 1024]).is_ok() {}
        rounds += 1;
        thread::sleep(PAUSE);
    }
    rounds
}

/// Shuts its side down in the middle of a request, or after it, and keeps the connection open.
fn half_closed(address: SocketAddr, ended: &dyn Fn() -> bool) -> u32 {
    let parts = [
        format!("GET /plugins HTTP/1.1\r\nHost: {address}\r\n\r\n"),
        format!("GET /plugins HTTP/1.1\r\nHost: {address}\r\n"),
        format!(
            "POST /plugins/counter/message HTTP/1.1\r\nHost: {address}\r\nContent-Length: 100\r\n\r\nhalf"
        ),
        String::new(),
    ];
    let mut rounds = 0;
    let mut open = std::collections::VecDeque::new();
    while !ended() {
        let mut stream = TcpStream::connect(address).unwrap();
        let _ = stream.write_all(parts[rounds as usize % parts.len()].as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
        open.push_back(stream);
        if open.len() > 32 {
            open.pop_front();
        }
        rounds += 1;
        thread::sleep(PAUSE);
    }
    rounds
}
