//! Reads the bodies of requests, within limits of time and memory.

use axum::body::{Body, HttpBody};
use http_body_util::BodyExt;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The limits of all bodies that are being read.
#[derive(Debug)]
pub struct Bodies {
    /// The time for one body.
    time: Duration,
    /// The bytes for which there is room, in all bodies together.
    room: Semaphore,
}

/// The reason why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    TooLarge,
    TooSlow,
    /// All bodies together need too much memory now.
    NoRoom,
    /// The connection has ended before the body, or it is malformed.
    Broken,
}

impl Bodies {
    pub fn new(time: Duration, bytes: usize) -> Bodies {
        Bodies { time, room: Semaphore::new(bytes) }
    }

    /// Reads a body of at most so many bytes. Nothing is read of one that declares more.
    pub async fn read(&self, body: Body, most: usize) -> Result<Vec<u8>, Unread> {
        if body.size_hint().lower() > most as u64 {
            return Err(Unread::TooLarge);
        }
        timeout(self.time, self.read_all(body, most)).await.unwrap_or(Err(Unread::TooSlow))
    }

    async fn read_all(&self, mut body: Body, most: usize) -> Result<Vec<u8>, Unread> {
        let mut bytes = Vec::new();
        let mut held = Vec::new();
        while let Some(frame) = body.frame().await {
            // Trailers mean nothing here.
            let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
            if data.len() > most - bytes.len() {
                return Err(Unread::TooLarge);
            }
            let length = u32::try_from(data.len()).map_err(|_| Unread::NoRoom)?;
            held.push(self.room.try_acquire_many(length).map_err(|_| Unread::NoRoom)?);
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Bytes;
    use http_body_util::Full;
    use hyper::body::Frame;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use tokio::sync::mpsc;

    /// A body of the parts that a channel brings.
    struct Parts(mpsc::UnboundedReceiver<Bytes>);

    impl HttpBody for Parts {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.poll_recv(context).map(|part| part.map(|part| Ok(Frame::data(part))))
        }
    }

    fn parts() -> (mpsc::UnboundedSender<Bytes>, Body) {
        let (parts, taken) = mpsc::unbounded_channel();
        (parts, Body::new(Parts(taken)))
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        let bodies = Bodies::new(HOUR, 1_000);
        let full = |length: usize| Body::new(Full::new(Bytes::from(vec![7; length])));
        for _ in 0..100 {
            assert_eq!(bodies.read(full(100), 100).await, Ok(vec![7; 100]));
            assert_eq!(bodies.read(full(101), 100).await, Err(Unread::TooLarge));
        }
        let (sender, body) = parts();
        for _ in 0..11 {
            sender.send(Bytes::from_static(&[7; 10])).unwrap();
        }
        assert_eq!(bodies.read(body, 100).await, Err(Unread::TooLarge), "its length was not declared");
    }

    #[tokio::test]
    async fn a_body_that_takes_too_long_is_given_up() {
        let bodies = Bodies::new(Duration::from_millis(50), 1_000);
        let (sender, body) = parts();
        sender.send(Bytes::from_static(b"begun")).unwrap();
        assert_eq!(bodies.read(body, 100).await, Err(Unread::TooSlow));
    }

    #[tokio::test]
    async fn all_bodies_share_the_room() {
        let bodies = Bodies::new(HOUR, 100);
        let (first, first_body) = parts();
        let (second, second_body) = parts();
        let mut reading = std::pin::pin!(bodies.read(first_body, 100));
        first.send(Bytes::from_static(&[7; 60])).unwrap();
        let begun = std::future::poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx).is_pending())).await;
        assert!(begun);
        second.send(Bytes::from_static(&[7; 60])).unwrap();
        assert_eq!(bodies.read(second_body, 100).await, Err(Unread::NoRoom));
        drop(first);
        assert_eq!(reading.await.unwrap().len(), 60);
        assert_eq!(bodies.room.available_permits(), 100);
    }
}
