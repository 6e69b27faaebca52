//! A plugin as the page and `GET /plugins` show it.

use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use uv_handles_host::supervisor::{PluginStatus, State};

#[derive(Debug, Clone, Serialize)]
pub struct View {
    pub name: String,
    pub component: String,
    #[serde(serialize_with = "state")]
    pub state: State,
    /// How long it has been in that state.
    pub seconds: u64,
    /// In how many seconds it is started again.
    pub starts_in: Option<f64>,
    pub reason: Option<String>,
    pub problem: Option<String>,
    pub listens: BTreeMap<String, SocketAddr>,
    pub callbacks: u64,
    pub callbacks_per_second: f64,
    pub timers: u64,
    /// By how many milliseconds timers were late lately, on average.
    pub late_ms: f64,
    /// And ever, at most.
    pub latest_ms: u128,
    /// The milliseconds of the longest callback.
    pub longest_callback_ms: f64,
    pub handles: u64,
    pub memory: usize,
    pub memory_limit: usize,
    pub restarts: u64,
    pub messages: Messages,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct Messages {
    pub accepted: u64,
    pub refused: u64,
    pub waiting: u64,
}

fn state<S: Serializer>(state: &State, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(state.name())
}

impl View {
    pub fn new(status: PluginStatus, component: String, listens: BTreeMap<String, SocketAddr>) -> View {
        let (stats, messages) = (&status.stats, status.messages);
        View {
            state: status.state,
            seconds: status.since.as_secs(),
            starts_in: status.starts_in.map(|time| time.as_secs_f64()),
            callbacks: stats.callbacks,
            callbacks_per_second: status.callbacks_per_second,
            timers: stats.timers,
            late_ms: status.late.as_secs_f64() * 1e3,
            latest_ms: stats.lateness.longest.as_millis(),
            longest_callback_ms: stats.durations.longest.as_secs_f64() * 1e3,
            handles: stats.handles,
            memory: status.memory,
            memory_limit: status.memory_limit,
            restarts: status.restarts,
            messages: Messages {
                accepted: messages.accepted,
                refused: messages.refused,
                waiting: stats.mailbox_messages,
            },
            name: status.name,
            reason: status.reason,
            problem: status.problem,
            component,
            listens,
        }
    }
}
