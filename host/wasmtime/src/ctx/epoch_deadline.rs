//! Who owns the epoch deadline of a guest's store.

/// Whose the epoch deadline of a store is, as far as its guest's context can know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum EpochDeadline {
    /// Perhaps the embedder's.
    #[default]
    Unknown,
    /// The embedder has the store, or has had it since a plugin was called back last: he may set one.
    Lent,
    /// The one of `interrupt_by_epochs_sync` or `_async`: it has passed, and nobody had the store since.
    Ours,
}
