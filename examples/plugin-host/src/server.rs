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
    pub const fn new(connections: usize) -> Limits {
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
