//! Grants other than descriptors: async senders, mailboxes, async connections.

pub(crate) mod async_sender;
pub(crate) mod connections;
pub(crate) mod mailbox;
pub(crate) mod send_error;
