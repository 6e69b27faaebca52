//! Accepts connections and serves HTTP on them, within limits of number and time.

use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};

/// The pause after a connection could not be accepted: others may end meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// The bytes that are read of a request after its answer, so that the client gets to read that.
const REST: u64 = 1 << 20;

/// The limits of connections. There is one request at a time on each.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at the same time. More wait until the system accepts them for the server.
    pub connections: usize,
    /// The bytes of the buffer for reading from a connection and for writing to it. The head of a
    /// request has to fit.
    pub buffer: usize,
    /// The time for the head of a request. It begins with the connection, or with the end of the
    /// request before.
    pub head: Duration,
    /// Connections that are older are closed with their next answer.
    pub age: Duration,
    /// The time after `age` for that. It is longer than any request takes whose client is not stuck.
    pub end: Duration,
    /// The time for [`REST`].
    pub rest: Duration,
    /// Whether a client that sends nothing more still waits for its answer. If not, its request is
    /// dropped.
    pub half_close: bool,
}

/// Serves until `stop`, and then until all answers are sent that are due.
pub async fn serve<S, B>(listener: TcpListener, service: S, limits: Limits, stop: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
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
                let connection = Connection { service: service.clone(), limits, _place: place };
                tokio::spawn(connection.run(stream, end.clone()));
            }
            Some((_, Err(error))) => {
                tracing::warn!("no connection can be accepted: {error}");
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

struct Connection<S> {
    service: S,
    limits: Limits,
    _place: OwnedSemaphorePermit,
}

impl<S, B> Connection<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    B: Body<Error: Into<Box<dyn Error + Send + Sync>>> + 'static,
{
    async fn run(self, mut stream: TcpStream, mut ending: watch::Receiver<()>) {
        let Limits { buffer, head, age, end, rest, half_close, .. } = self.limits;
        let begun = Instant::now();
        let service = service_fn(|request| {
            let response = self.service.call(request);
            async move {
                let mut response = response.await?;
                if begun.elapsed() >= age {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response)
            }
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head)
            .half_close(half_close)
            .max_buf_size(buffer)
            .serve_connection(TokioIo::new(&mut stream), service);
        let mut served = pin!(served);
        let whole = async {
            tokio::select! {
                result = &mut served => return result,
                _ = ending.changed() => served.as_mut().graceful_shutdown(),
            }
            served.await
        };
        match timeout(age.saturating_add(end), whole).await {
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
