//! Accepts connections and serves HTTP on them, within limits of number and time.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};

/// The buffer for reading from a connection and for writing to it. The head of a request has to
/// fit.
const BUFFER: usize = 16 * 1024;

/// The pause after a connection could not be accepted: others may end meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// The bytes that are read of a request after its answer, so that the client gets to read that.
const REST: u64 = 1 << 20;

/// The limits of connections. There is one request at a time on each.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at the same time. More wait until the system accepts them for the server.
    pub connections: usize,
    /// The time for the head of a request. It begins with the connection, or with the end of the
    /// request before.
    pub head: Duration,
    /// Connections that are older are closed with their next answer.
    pub age: Duration,
    /// The time after `age` for that. It is longer than any request takes whose client is not stuck.
    pub end: Duration,
    /// The time for [`REST`].
    pub rest: Duration,
}

impl Limits {
    /// Limits with so many connections.
    pub fn new(connections: usize) -> Limits {
        Limits {
            connections,
            head: Duration::from_secs(10),
            age: Duration::from_secs(60),
            end: Duration::from_secs(30),
            rest: Duration::from_secs(1),
        }
    }
}

/// Serves until `stop`, and then until all answers are sent that are due.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let (ending, end) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await.ok()?;
            Some((place, listener.accept().await))
        };
        let next = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        match next {
            Some((place, Ok((stream, _)))) => {
                let connection = Connection { router: router.clone(), limits, _place: place };
                tokio::spawn(connection.run(stream, end.clone()));
            }
            Some((_, Err(error))) => {
                tracing::debug!("a connection is not accepted: {error}");
                sleep(PAUSE).await;
            }
            // The semaphore is never closed.
            None => break,
        }
    }
    drop((listener, end));
    // It fails if there is no connection.
    let _ = ending.send(());
    ending.closed().await;
}

struct Connection {
    router: Router,
    limits: Limits,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    async fn run(self, mut stream: TcpStream, mut ending: watch::Receiver<()>) {
        let Limits { head, age, end, rest, .. } = self.limits;
        let begun = Instant::now();
        let router = TowerToHyperService::new(self.router);
        let service = service_fn(|request: Request<Incoming>| {
            let response = router.call(request);
            async move {
                let mut response: Response<_> = response.await?;
                if begun.elapsed() >= age {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response)
            }
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head)
            // A client may say that it sends nothing more, and still wait for the answer.
            .half_close(true)
            .max_buf_size(BUFFER)
            .serve_connection(TokioIo::new(&mut stream), service);
        let mut served = pin!(served);
        let whole = async {
            tokio::select! {
                result = &mut served => return result,
                _ = ending.changed() => served.as_mut().graceful_shutdown(),
            }
            served.await
        };
        match timeout(age + end, whole).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return tracing::debug!("a connection has ended: {error}"),
            Err(_) => return tracing::debug!("a connection is cut off: its client is stuck"),
        }
        drop(ending);
        // Closing a socket with unread input discards the answer before the client has read it.
        let mut unread = stream.take(REST);
        let _ = timeout(rest, copy(&mut unread, &mut sink())).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::{get, post};
    use std::net::SocketAddr;
    use tokio::io::AsyncWriteExt;
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    const HOUR: Duration = Duration::from_secs(3600);

    /// A little longer than it takes to notice something, where only a failure depends on it.
    const MOMENT: Duration = Duration::from_millis(50);

    const PATIENT: Limits = Limits { connections: 100, head: HOUR, age: HOUR, end: HOUR, rest: HOUR };

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
            let task = tokio::spawn(serve(listener, router, limits, async {
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
}
