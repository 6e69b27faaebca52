//! The owner of the epoch deadline of a guest's store.

/// The owner of a store's epoch deadline, as far as the guest's context can know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum EpochDeadline {
    /// The embedder may have set the deadline.
    #[default]
    Unknown,
    /// The embedder has, or has had, access to the store since the last call of a plugin, and may
    /// have set the deadline.
    Lent,
    /// The deadline of `interrupt_by_epochs_sync` or `_async`. It has passed, and the embedder has
    /// not had access to the store since.
    Ours,
}
