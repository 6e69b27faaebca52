//! The mailbox of a named async handle.

use crate::grants::send_error::SendError;
use std::collections::VecDeque;

/// The capacity of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capacity {
    pub messages: usize,
    /// The bytes of all messages together.
    pub bytes: usize,
}

/// The messages that were sent and not taken yet, in order.
#[derive(Debug)]
pub(crate) struct Mailbox {
    messages: VecDeque<Vec<u8>>,
    bytes: usize,
    capacity: Capacity,
}

impl Mailbox {
    pub(crate) fn new(capacity: Capacity) -> Mailbox {
        Mailbox { messages: VecDeque::new(), bytes: 0, capacity }
    }

    /// Adds a message if there is room.
    pub(crate) fn put(&mut self, message: Vec<u8>) -> Result<(), SendError> {
        if message.len() > self.capacity.bytes {
            return Err(SendError::TooLarge);
        }
        if self.messages.len() >= self.capacity.messages
            || message.len() > self.capacity.bytes.saturating_sub(self.bytes)
        {
            return Err(SendError::Full);
        }
        self.bytes += message.len();
        self.messages.push_back(message);
        Ok(())
    }

    /// Takes the oldest message.
    pub(crate) fn capacity_bytes(&self) -> usize {
        self.capacity.bytes
    }

    /// Returns the number of waiting messages, and of their bytes.
    pub(crate) fn depth(&self) -> (usize, usize) {
        (self.messages.len(), self.bytes)
    }

    /// Moves the messages of another mailbox here, before those that come. They are more than the
    /// capacity if the other mailbox is larger.
    pub(crate) fn take_over(&mut self, other: &mut Mailbox) {
        (self.messages, self.bytes) = (std::mem::take(&mut other.messages), std::mem::take(&mut other.bytes));
    }

    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.len();
        if self.messages.is_empty() {
            // The memory of a burst is freed.
            self.messages = VecDeque::new();
        }
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_their_order_and_are_limited_by_the_capacity() {
        let mut mailbox = Mailbox::new(Capacity { messages: 3, bytes: 10 });
        assert_eq!(mailbox.take(), None);
        assert_eq!(mailbox.put(vec![0; 11]), Err(SendError::TooLarge));
        mailbox.put(vec![1; 10]).unwrap();
        assert_eq!(mailbox.put(vec![2]), Err(SendError::Full));
        mailbox.put(Vec::new()).unwrap();
        mailbox.put(Vec::new()).unwrap();
        assert_eq!(mailbox.put(Vec::new()), Err(SendError::Full), "an empty message counts too");
        assert_eq!(mailbox.take(), Some(vec![1; 10]));
        mailbox.put(vec![3; 10]).unwrap();
        assert_eq!(mailbox.take(), Some(Vec::new()));
        assert_eq!(mailbox.take(), Some(Vec::new()));
        assert_eq!(mailbox.take(), Some(vec![3; 10]));
        assert_eq!((mailbox.take(), mailbox.bytes), (None, 0));
    }
}
