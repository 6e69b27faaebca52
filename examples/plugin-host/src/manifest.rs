//! A plugin's manifest: its configuration, grants, limits, and restart policy.

use crate::shared::config::{self, Text, entries, value};
use crate::shared::network::{HttpHost, Range};
use crate::shared::quantities::{Seconds, Size};
use crate::shared::signals::Signals;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use uv_handles_host::supervisor::{Policy, Restart};

/// The content of NAME.toml. Everything in it has a default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    /// The component's file, relative to the manifest; NAME.wasm unless set.
    pub component: Option<String>,
    /// Handed to the plugin's `init`.
    pub config: BTreeMap<String, Text>,
    pub grants: Grants,
    pub limits: Limits,
    pub restart: RestartTable,
}

/// The grants of the plugin, by the names under which it opens them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Grants {
    /// Listening sockets. They outlive the plugin, so that no client is refused while it restarts.
    pub listen: BTreeMap<String, SocketAddr>,
    /// Connections to HOST:PORT, made anew each time the plugin opens them.
    pub connect: BTreeMap<String, String>,
    /// Hosts that HTTP requests may go to, `*` for all.
    #[serde(deserialize_with = "entries")]
    pub http: Vec<HttpHost>,
    /// Addresses of TCP connections by wasi:sockets.
    #[serde(deserialize_with = "entries")]
    pub tcp_connect: Vec<Range>,
    /// Addresses that TCP sockets of wasi:sockets may listen on.
    #[serde(deserialize_with = "entries")]
    pub tcp_listen: Vec<Range>,
    /// Addresses of datagrams by wasi:sockets.
    #[serde(deserialize_with = "entries")]
    pub udp_send: Vec<Range>,
    /// Addresses that UDP sockets of wasi:sockets may be bound to.
    #[serde(deserialize_with = "entries")]
    pub udp_bind: Vec<Range>,
    /// Whether it may look names up.
    pub name_lookup: bool,
    /// Signals of the server's process.
    #[serde(deserialize_with = "entries")]
    pub signals: Vec<Signals>,
    /// Async handles that `POST /plugins/NAME/async-handles/HANDLE` sends.
    pub async_handles: Vec<String>,
    /// Mailboxes of other plugins.
    pub plugins: BTreeMap<String, String>,
}

/// The limits of the plugin. Those that are not set are the library's.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Limits {
    /// Bytes of memory.
    #[serde(deserialize_with = "value")]
    pub memory: Option<Size>,
    pub handles: Option<u32>,
    pub loops: Option<u32>,
    pub descriptors: Option<u32>,
    /// Messages that wait in its mailbox.
    pub mailbox_messages: Option<u32>,
    /// Their bytes.
    #[serde(deserialize_with = "value")]
    pub mailbox_bytes: Option<Size>,
    /// How long the start may take, `init` included.
    #[serde(deserialize_with = "value")]
    pub start: Option<Seconds>,
}

/// The table `restart`. Times that are not set are the library's.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RestartTable {
    #[serde(with = "PolicyName")]
    policy: Policy,
    #[serde(deserialize_with = "value")]
    initial: Option<Seconds>,
    #[serde(deserialize_with = "value")]
    max: Option<Seconds>,
    #[serde(deserialize_with = "value")]
    reset: Option<Seconds>,
}

/// The names of the policies.
#[derive(Deserialize)]
#[serde(remote = "Policy", rename_all = "kebab-case")]
enum PolicyName {
    Never,
    OnFailure,
    Always,
}

impl From<&RestartTable> for Restart {
    fn from(table: &RestartTable) -> Restart {
        let default = Restart::default();
        let or = |time: Option<Seconds>, default| time.map_or(default, |time| time.0);
        Restart {
            policy: table.policy,
            initial: or(table.initial, default.initial),
            max: or(table.max, default.max),
            reset: or(table.reset, default.reset),
        }
    }
}

impl Manifest {
    /// Reads a manifest. The error is a sentence that begins with the file's name.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Manifest, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| format!("{file} is no UTF-8 text"))?;
        config::parse(text).map_err(|problem| format!("{file}{problem}"))
    }
}
