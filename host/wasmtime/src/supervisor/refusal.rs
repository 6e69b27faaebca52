//! The reasons why a plugin does not get a message.

use super::status::State;
use crate::grants::send_error::SendError;
use thiserror::Error;

/// The reason why a message does not reach its plugin, in a sentence that names the plugin.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such plugin.
    #[error("{0}")]
    Unknown(String),
    /// The plugin has ended, or takes no messages.
    #[error("{0}")]
    NotTaken(String),
    /// The plugin is about to start.
    #[error("{0}")]
    NotNow(String),
    /// The mailbox is full.
    #[error("{0}")]
    Full(String),
    /// The message is larger than the mailbox.
    #[error("{0}")]
    TooLarge(String),
}

impl Refusal {
    pub(crate) fn unknown(name: &str) -> Refusal {
        Refusal::Unknown(format!("there is no plugin {}", name.escape_debug()))
    }

    /// Returns the reason why a plugin in this state takes no messages.
    pub(crate) fn in_state(name: &str, state: State) -> Option<Refusal> {
        match state {
            State::Starting | State::Running => None,
            State::BackingOff => {
                Some(Refusal::NotNow(format!("{name} has ended, and will be started again")))
            }
            State::Parked => Some(Refusal::NotTaken(format!("{name} is parked: nothing would read it"))),
            State::Failed => Some(Refusal::NotTaken(format!("{name} has failed, and does not run"))),
            State::Stopped => Some(Refusal::NotTaken(format!("{name} has stopped, and does not run"))),
        }
    }

    /// Returns the reason of an async handle of a plugin in this state.
    pub(crate) fn of_send(name: &str, state: State, handle: &str, error: SendError) -> Refusal {
        match error {
            SendError::NotOpen | SendError::Closed if state == State::Starting => {
                Refusal::NotNow(format!("{name} is starting"))
            }
            SendError::Full => Refusal::Full(format!("the mailbox of {name} is full")),
            SendError::TooLarge => Refusal::TooLarge(format!(
                "the message is larger than the mailbox of {name} (limits.mailbox-bytes)"
            )),
            _ => Refusal::NotTaken(format!("{name} has no {handle} open")),
        }
    }
}
