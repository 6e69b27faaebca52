//! The host's async senders and mailboxes.

#[path = "../../../../host/wasmtime/src/grants/async_sender.rs"]
#[allow(dead_code, reason = "the models do not need all of it")]
pub(crate) mod async_sender;
#[path = "../../../../host/wasmtime/src/grants/mailbox.rs"]
pub(crate) mod mailbox;
#[path = "../../../../host/wasmtime/src/grants/send_error.rs"]
pub(crate) mod send_error;
