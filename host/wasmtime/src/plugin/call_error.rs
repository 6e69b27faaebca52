//! The reasons why a call within a deadline has no result.

use thiserror::Error;

/// The reason why a call of a plugin has no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CallError {
    /// The plugin had ended before, or ended meanwhile.
    #[error("the plugin has ended")]
    Gone,
    /// The call took longer than its deadline. If it had begun, the plugin has ended.
    #[error("the call took longer than its deadline")]
    DeadlineExceeded,
    /// The call returned an error, for example because the plugin trapped. The plugin has ended.
    #[error("{0}")]
    Failed(String),
}
