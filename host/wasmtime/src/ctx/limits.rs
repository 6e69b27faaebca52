//! Limits on what a guest may have.

use crate::grants::mailbox::Capacity;

/// How much a guest may have at once. What goes over a limit is refused with an error value.
///
/// wasmtime has limits of its own behind these, and going over them is a trap: the handles that a
/// guest holds on all resources together are 100,000 unless the embedder calls
/// [`Store::set_max_component_handles`](wasmtime::Store::set_max_component_handles).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Handles on all loops together; 65,536 unless set. Beyond it ENOMEM.
    pub handles: u32,
    /// Loops; 64 unless set. Beyond it EMFILE. And as many reserves of timers, beyond it ENOMEM.
    pub loops: u32,
    /// Open descriptors; 1,024 unless set. Beyond it EMFILE.
    pub descriptors: u32,
    /// Bytes that one read brings at most; 65,536 unless set.
    pub read_bytes: u32,
    /// Messages that wait for one named async handle; 1,024 unless set. Beyond it the sender gets
    /// [`SendError::Full`](crate::SendError::Full).
    pub mailbox_messages: u32,
    /// Bytes of the messages that wait for one named async handle; 1 MiB unless set.
    pub mailbox_bytes: u32,
}

impl Limits {
    pub(super) fn mailbox(&self) -> Capacity {
        Capacity { messages: self.mailbox_messages as usize, bytes: self.mailbox_bytes as usize }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        let uv_handles_core::Limits { handles, loops } = uv_handles_core::Limits::default();
        Limits {
            handles,
            loops,
            descriptors: 1_024,
            read_bytes: 65_536,
            mailbox_messages: 1_024,
            mailbox_bytes: 1 << 20,
        }
    }
}
