//! A plugin as the page and `GET /plugins` show it.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use uv_handles_host::supervisor::PluginStatus;

#[derive(Debug)]
pub struct View {
    pub status: PluginStatus,
    /// The component's file.
    pub component: String,
    /// The addresses of its sockets.
    pub listens: BTreeMap<String, SocketAddr>,
}

impl View {
    /// Returns the mean lateness of recent timers in milliseconds.
    pub fn late_ms(&self) -> f64 {
        self.status.late.as_secs_f64() * 1e3
    }

    pub fn json(&self) -> Value {
        let View { status, component, listens } = self;
        let (stats, messages) = (&status.stats, status.messages);
        json!({
            "name": status.name,
            "component": component,
            "state": status.state.name(),
            "seconds": status.since.as_secs(),
            "starts_in": status.starts_in.map(|time| time.as_secs_f64()),
            "reason": status.reason,
            "problem": status.problem,
            "listens": listens,
            "callbacks": stats.callbacks,
            "callbacks_per_second": status.callbacks_per_second,
            "timers": stats.timers,
            "late_ms": self.late_ms(),
            "latest_ms": stats.lateness.longest.as_millis() as u64,
            "longest_callback_ms": stats.durations.longest.as_secs_f64() * 1e3,
            "handles": stats.handles,
            "memory": status.memory,
            "memory_limit": status.memory_limit,
            "restarts": status.restarts,
            "messages": {
                "accepted": messages.accepted,
                "refused": messages.refused,
                "waiting": stats.mailbox_messages,
            },
        })
    }
}
