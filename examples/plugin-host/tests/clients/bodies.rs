//! Bodies of requests: their length, their time, and their memory.

use crate::body::{Bodies, Unread};
use axum::body::{Body, Bytes, HttpBody};
use http_body_util::Full;
use hyper::body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
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
    // All of the room is free again.
    assert_eq!(bodies.read(Body::from(vec![7; 100]), 100).await.unwrap().len(), 100);
}
