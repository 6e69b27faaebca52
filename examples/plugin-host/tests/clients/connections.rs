//! Connections: their number, their times, and the end of the server.

use crate::http_connections::{Limits, serve};
use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

const HOUR: Duration = Duration::from_secs(3600);

/// A little longer than it takes to notice something, where only a failure depends on it.
const MOMENT: Duration = Duration::from_millis(50);

const PATIENT: Limits = Limits {
    connections: 100,
    buffer: 16 << 10,
    head: HOUR,
    age: HOUR,
    end: HOUR,
    rest: HOUR,
    half_close: true,
};

/// A server of a few routes.
struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(limits: Limits) -> Server {
        let router = Router::new()
            .route("/", get(async || "hello"))
            .route("/late", get(async || sleep(MOMENT).await))
            .route("/large", get(async || Body::from(vec![b'a'; 64 << 20])))
            .route("/unread", post(async || "no"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, TowerToHyperService::new(router), limits, async {
            let _ = stopped.await;
        }));
        Server { address, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

fn request(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

/// Sends a request for `/`, and reads the answer's head and its five bytes of body.
async fn exchange(stream: &mut TcpStream) -> String {
    stream.write_all(&request("/")).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "{answer:?}");
    }
    String::from_utf8(answer).unwrap()
}

/// Reads until the server closes the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut rest).await;
    String::from_utf8(rest).unwrap()
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_one_ends() {
    let server = Server::start(Limits { connections: 2, ..PATIENT }).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    exchange(&mut first).await;
    exchange(&mut second).await;
    let mut third = server.connect().await;
    third.write_all(&request("/")).await.unwrap();
    for _ in 0..1_000 {
        exchange(&mut first).await;
    }
    let waits = third.try_read(&mut [0; 8]).map_err(|error| error.kind());
    assert_eq!(waits, Err(std::io::ErrorKind::WouldBlock));
    drop(second);
    let mut answer = [0; 12];
    third.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn a_client_that_is_slow_with_its_head_is_left() {
    let server = Server::start(Limits { head: MOMENT, ..PATIENT }).await;
    for begin in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\nX: "] {
        let mut stream = server.connect().await;
        stream.write_all(begin.as_bytes()).await.unwrap();
        assert_eq!(rest(&mut stream).await, "", "{begin:?}");
    }
    // Bytes that come again and again do not help.
    let (mut reader, mut writer) = server.connect().await.into_split();
    tokio::spawn(async move {
        let _ = writer.write_all(b"GET / HTTP/1.1\r\nX: ").await;
        while writer.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(1)).await;
        }
    });
    let mut rest = Vec::new();
    let _ = reader.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = Server::start(PATIENT).await;
    let (mut reader, mut writer) = server.connect().await.into_split();
    let sending = tokio::spawn(async move {
        let _ = writer.write_all(b"GET / HTTP/1.1\r\nX: ").await;
        let mut sent = 0;
        while sent < 64 << 20 && writer.write_all(&[b'x'; 4096]).await.is_ok() {
            sent += 4096;
        }
        sent
    });
    let mut answer = Vec::new();
    let _ = reader.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 431") || answer.is_empty(), "{answer:?}");
    drop(reader);
    assert!(sending.await.unwrap() < 64 << 20);
}

#[tokio::test]
async fn a_client_that_sends_nothing_more_gets_its_answer() {
    let server = Server::start(PATIENT).await;
    let mut stream = server.connect().await;
    stream.write_all(&request("/late")).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn an_answer_arrives_although_the_request_is_not_read() {
    let server = Server::start(PATIENT).await;
    for _ in 0..20 {
        let mut stream = server.connect().await;
        let head = "POST /unread HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&[b'a'; 500_000]).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("no"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let limits = Limits { connections: 1, age: MOMENT, end: MOMENT, ..PATIENT };
    let server = Server::start(limits).await;
    let mut stuck = server.connect().await;
    stuck.write_all(&request("/large")).await.unwrap();
    // There is one place, so the other client is served when the first has lost it.
    exchange(&mut server.connect().await).await;
    drop(stuck);
}

#[tokio::test]
async fn an_old_connection_is_closed_with_an_answer() {
    let server = Server::start(PATIENT).await;
    let mut stream = server.connect().await;
    assert!(!exchange(&mut stream).await.contains("connection: close"));
    let server = Server::start(Limits { age: Duration::ZERO, ..PATIENT }).await;
    let mut stream = server.connect().await;
    assert!(exchange(&mut stream).await.contains("connection: close"));
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn the_end_waits_for_answers_that_are_due_and_no_longer() {
    let server = Server::start(PATIENT).await;
    let (mut idle, mut busy) = (server.connect().await, server.connect().await);
    exchange(&mut idle).await;
    busy.write_all(&request("/late")).await.unwrap();
    // Both are accepted: an exchange on a later connection has been served.
    exchange(&mut server.connect().await).await;
    server.stop.send(()).unwrap();
    let answer = rest(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(rest(&mut idle).await, "");
    server.task.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}
