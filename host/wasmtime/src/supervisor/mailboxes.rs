//! The mailboxes of all plugins of a supervisor.

use crate::ctx::UvCtx;
use crate::grants::async_sender::AsyncSender;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The async handle to which [`Supervisor::send`](super::Supervisor::send) sends messages.
pub const MAILBOX: &str = "mailbox";

/// The mailboxes of all plugins, by name. A mailbox exists before its plugin and outlives it, so that
/// plugins can be connected in any order and stay connected.
#[derive(Debug, Default)]
pub struct Mailboxes(Mutex<HashMap<String, AsyncSender>>);

impl Mailboxes {
    /// Returns the mailbox of a plugin, made if there was none.
    pub fn of(&self, name: &str) -> AsyncSender {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = all.entry(name.to_owned()).or_insert_with(|| UvCtx::builder().async_sender(MAILBOX));
        sender.clone()
    }

    /// Returns the mailbox of a plugin, if it has been made.
    pub fn get(&self, name: &str) -> Option<AsyncSender> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}
