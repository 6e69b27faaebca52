//! Limits on a guest's resources.

use crate::grants::mailbox::Capacity;

/// Limits on a guest's resources. A call that exceeds a limit returns an error value.
///
/// wasmtime has its own limits, which trap. A guest may have 100,000 handles to resources of all
/// kinds unless the embedder calls
/// [`Store::set_max_component_handles`](wasmtime::Store::set_max_component_handles).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Handles on all loops together. Beyond the limit ENOMEM. Default: 65,536.
    pub handles: u32,
    /// Loops. Beyond the limit EMFILE. Runs have the same limit, and timer pools too, with ENOMEM.
    /// Default: 64.
    pub loops: u32,
    /// Open descriptors. Beyond the limit EMFILE. Default: 1,024.
    pub descriptors: u32,
    /// Bytes that one read returns at most. Default: 65,536.
    pub read_bytes: u32,
    /// Messages in the mailbox of one named async handle. Beyond the limit the sender gets
    /// [`SendError::Full`](crate::SendError::Full). Default: 1,024.
    pub mailbox_messages: u32,
    /// Bytes in the mailbox of one named async handle. Default: 1 MiB.
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
