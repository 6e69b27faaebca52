//! What a guest was granted besides descriptors: async senders, mailboxes, connections.

pub(crate) mod async_sender;
pub(crate) mod connections;
pub(crate) mod mailbox;
