//! The wake-ups of other guests that a guest may send, by the names that its embedder gave them.

use crate::grants::async_sender::AsyncSender;
use crate::grants::async_sender::OpenError;

/// A guest's connections.
#[derive(Debug, Default)]
pub(crate) struct Connections(Vec<Connection>);

#[derive(Debug)]
struct Connection {
    name: String,
    sender: AsyncSender,
    /// The guest holds it, one at a time: what a guest can hold is bounded.
    open: bool,
}

impl Connections {
    pub(crate) fn grant(&mut self, name: String, sender: AsyncSender) {
        self.0.retain(|connection| connection.name != name);
        self.0.push(Connection { name, sender, open: false });
    }

    /// Opens a connection, and answers its number.
    pub(crate) fn open(&mut self, name: &str) -> Result<u32, OpenError> {
        let at = self.0.iter().position(|connection| connection.name == name).ok_or(OpenError::NotGranted)?;
        if std::mem::replace(&mut self.0[at].open, true) {
            return Err(OpenError::Busy);
        }
        // Nobody can grant more.
        Ok(at as u32)
    }

    /// The sender of a connection that is open.
    pub(crate) fn sender(&self, number: u32) -> Option<&AsyncSender> {
        self.0.get(number as usize).map(|connection| &connection.sender)
    }

    pub(crate) fn close(&mut self, number: u32) {
        if let Some(connection) = self.0.get_mut(number as usize) {
            connection.open = false;
        }
    }
}
