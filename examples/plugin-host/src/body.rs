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
