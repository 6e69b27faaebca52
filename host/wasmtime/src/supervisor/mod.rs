//! Plugins by name, that are configured, restarted, replaced and observed.
//!
//! [`Supervisor`] runs plugins in the tasks of a tokio runtime, and [`SupervisedSet`] many of them on
//! one thread. Both take a [`PluginSpec`], which says what a plugin is and what it is granted.
//!
//! | event | effect on the plugin |
//! | --- | --- |
//! | a trap in a callback, or an error of a call | It ends. Senders are refused until it is started again, as its [`Restart`] says. |
//! | a call, a callback or a start beyond its deadline | The same. |
//! | a new version under the same name | The new instance starts with the state of the old one, which is paused meanwhile. If the new one cannot start, the old one continues. |
//! | a panic in a hook of the embedder | None for hooks that observe. A start fails if the hook belongs to it. |
//!
//! A plugin exports `uv:handles/plugin-life` to be configured and to hand over its state. The
//! interface is optional.

mod end;
mod exports;
#[cfg(feature = "async")]
mod life;
mod log;
#[cfg(feature = "async")]
mod mailboxes;
#[cfg(feature = "metrics")]
mod metrics;
mod output;
#[cfg(feature = "async")]
mod refusal;
mod restart;
mod set;
mod spec;
mod status;
#[cfg(feature = "async")]
mod tasks;
mod text;
#[cfg(feature = "wasi")]
mod wasi_output;
#[cfg(feature = "async")]
mod watch;

pub use log::{LogLine, LogSource, PluginLog};
#[cfg(feature = "async")]
pub use mailboxes::{MAILBOX, Mailboxes};
#[cfg(feature = "metrics")]
pub use metrics::PluginMetrics;
pub use output::PluginOutput;
#[cfg(feature = "async")]
pub use refusal::Refusal;
pub use restart::{Policy, Restart};
pub use set::SupervisedSet;
pub use spec::{LifeLimits, PluginSpec, PluginState, Seat};
pub use status::{Messages, PluginStatus, State};
#[cfg(feature = "async")]
pub use tasks::{Started, Supervisor};
pub use text::one_line;
#[cfg(feature = "wasi")]
pub use wasi_output::PluginStream;
