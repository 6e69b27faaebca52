//! The error of sending a guest's async handle.

use thiserror::Error;

/// The reason why a send was refused. Nothing has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The guest has not made an async handle with this name yet.
    #[error("the guest has not made the async handle yet")]
    NotOpen,
    /// The guest has closed its async handle, or the guest has ended.
    #[error("the guest has closed the async handle")]
    Closed,
    /// The mailbox is full until the guest takes messages: see
    /// [`Limits::mailbox_messages`](crate::Limits::mailbox_messages) and
    /// [`Limits::mailbox_bytes`](crate::Limits::mailbox_bytes).
    #[error("the guest's mailbox is full")]
    Full,
    /// The message alone exceeds [`Limits::mailbox_bytes`](crate::Limits::mailbox_bytes).
    #[error("the message is larger than the guest's mailbox")]
    TooLarge,
}
