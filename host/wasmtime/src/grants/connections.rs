//! Async connections: granted senders of other guests' async handles.

use crate::grants::async_sender::AsyncSender;
use crate::grants::async_sender::OpenError;

/// The async connections of a guest.
#[derive(Debug, Default)]
pub(crate) struct Connections(Vec<Connection>);

#[derive(Debug)]
struct Connection {
    name: String,
    sender: AsyncSender,
    /// The guest has the connection open. It can open each only once, so the number of its
    /// resources is bounded.
    open: bool,
}

impl Connections {
    pub(crate) fn grant(&mut self, name: String, sender: AsyncSender) {
        self.0.retain(|connection| connection.name != name);
        self.0.push(Connection { name, sender, open: false });
    }

    /// Opens a connection and returns its number.
    pub(crate) fn open(&mut self, name: &str) -> Result<u32, OpenError> {
        let at = self.0.iter().position(|connection| connection.name == name).ok_or(OpenError::NotGranted)?;
        if std::mem::replace(&mut self.0[at].open, true) {
            return Err(OpenError::Busy);
        }
        // The embedder cannot grant more than `u32::MAX` connections.
        Ok(at as u32)
    }

    /// Returns the sender of an open connection.
    pub(crate) fn sender(&self, number: u32) -> Option<&AsyncSender> {
        self.0.get(number as usize).map(|connection| &connection.sender)
    }

    pub(crate) fn close(&mut self, number: u32) {
        if let Some(connection) = self.0.get_mut(number as usize) {
            connection.open = false;
        }
    }
}
