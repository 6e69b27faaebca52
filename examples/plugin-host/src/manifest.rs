//! A plugin's manifest: its configuration, grants, limits, and restart policy.

use crate::network::{HttpHost, Range};
use crate::signals;
use serde::de::{self, Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;
use uv_handles_host::supervisor::{Policy, Restart};

/// The content of NAME.toml. Everything in it has a default.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    /// The component's file, relative to the manifest; NAME.wasm unless set.
    pub component: Option<String>,
    /// Handed to the plugin's `init`.
    pub config: BTreeMap<String, Text>,
    pub grants: Grants,
    pub limits: Limits,
    #[serde(deserialize_with = "restart")]
    pub restart: Restart,
}

/// The grants of the plugin, by the names under which it opens them.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Grants {
    /// Listening sockets. They outlive the plugin, so that no client is refused while it restarts.
    pub listen: BTreeMap<String, SocketAddr>,
    /// Connections to HOST:PORT, made anew each time the plugin opens them.
    pub connect: BTreeMap<String, String>,
    /// Hosts that HTTP requests may go to, `*` for all.
    #[serde(deserialize_with = "parsed")]
    pub http: Vec<HttpHost>,
    /// Addresses of TCP connections by wasi:sockets.
    #[serde(deserialize_with = "parsed")]
    pub tcp_connect: Vec<Range>,
    /// Addresses that TCP sockets of wasi:sockets may listen on.
    #[serde(deserialize_with = "parsed")]
    pub tcp_listen: Vec<Range>,
    /// Addresses of datagrams by wasi:sockets.
    #[serde(deserialize_with = "parsed")]
    pub udp_send: Vec<Range>,
    /// Addresses that UDP sockets of wasi:sockets may be bound to.
    #[serde(deserialize_with = "parsed")]
    pub udp_bind: Vec<Range>,
    /// Whether it may look names up.
    pub name_lookup: bool,
    /// Signals of the server's process.
    pub signals: Vec<Signum>,
    /// Async handles that `POST /plugins/NAME/async-handles/HANDLE` sends.
    pub async_handles: Vec<String>,
    /// Mailboxes of other plugins.
    pub plugins: BTreeMap<String, String>,
}

/// The limits of the plugin.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Limits {
    /// Bytes of memory.
    pub memory: Size,
    pub handles: u32,
    pub loops: u32,
    pub descriptors: u32,
    /// Messages that wait in its mailbox.
    pub mailbox_messages: u32,
    /// Their bytes.
    pub mailbox_bytes: Size,
    /// How long the start may take, `init` included.
    pub start: Seconds,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory: Size(64 << 20),
            handles: 10_000,
            loops: 4,
            descriptors: 256,
            mailbox_messages: 256,
            mailbox_bytes: Size(1 << 20),
            start: Seconds(Duration::from_secs(10)),
        }
    }
}

/// The table `restart`.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RestartTable {
    policy: PolicyName,
    initial: Option<Seconds>,
    max: Option<Seconds>,
    reset: Option<Seconds>,
}

/// The names of the policies.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PolicyName {
    Never,
    #[default]
    OnFailure,
    Always,
}

fn restart<'de, D: Deserializer<'de>>(from: D) -> Result<Restart, D::Error> {
    let RestartTable { policy, initial, max, reset } = RestartTable::deserialize(from)?;
    let policy = match policy {
        PolicyName::Never => Policy::Never,
        PolicyName::OnFailure => Policy::OnFailure,
        PolicyName::Always => Policy::Always,
    };
    let default = Restart::default();
    let or = |time: Option<Seconds>, default| time.map_or(default, |time| time.0);
    let (initial, max) = (or(initial, default.initial), or(max, default.max));
    Ok(Restart { policy, initial, max, reset: or(reset, default.reset) })
}

/// Texts in the notation of uv-run's options.
fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(from: D) -> Result<Vec<T>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| text.parse().map_err(de::Error::custom)).collect()
}

impl Manifest {
    /// Reads a manifest. The error is a sentence that begins with the file's name.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Manifest, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| format!("{file} is no UTF-8 text"))?;
        toml::from_str(text).map_err(|error| sentence(file, text, &error))
    }
}

/// Describes an error with file, line and key.
fn sentence(file: &str, text: &str, error: &toml::de::Error) -> String {
    // TOML and serde use different words for a key.
    let message = error.message().replace("unknown field", "unknown key").replace('\n', ", ");
    let Some(span) = error.span() else {
        return format!("{file}: {message}");
    };
    let start = span.start.min(text.len());
    let line = text.bytes().take(start).filter(|&byte| byte == b'\n').count();
    let key = text.lines().nth(line).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
    match key {
        Some(key) if !message.contains("unknown key") => {
            format!("{file}, line {}, at the key `{key}`: {message}", line + 1)
        }
        _ => format!("{file}, line {}: {message}", line + 1),
    }
}

/// A value of the configuration, as text: TOML's numbers and booleans are as good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
        match toml::Value::deserialize(from)? {
            toml::Value::String(text) => Ok(Text(text)),
            toml::Value::Integer(number) => Ok(Text(number.to_string())),
            toml::Value::Float(number) => Ok(Text(number.to_string())),
            toml::Value::Boolean(value) => Ok(Text(value.to_string())),
            _ => Err(de::Error::custom("expected a text, a number, true or false")),
        }
    }
}

/// A number of bytes: `65536`, `"64K"`, `"16M"`, `"1G"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub usize);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Size, D::Error> {
        let Text(text) = Text::deserialize(from)?;
        let (number, shift) = match text.strip_suffix(['K', 'M', 'G']) {
            Some(number) if text.ends_with('K') => (number, 10),
            Some(number) if text.ends_with('M') => (number, 20),
            Some(number) => (number, 30),
            None => (&text[..], 0),
        };
        let size = number.parse::<usize>().ok().and_then(|number| number.checked_mul(1 << shift));
        size.map(Size)
            .ok_or_else(|| de::Error::custom("expected a number of bytes, as 65536, \"64K\" or \"16M\""))
    }
}

/// A time in seconds: `5`, `0.25`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub Duration);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Seconds, D::Error> {
        let seconds = match toml::Value::deserialize(from)? {
            toml::Value::Integer(seconds) => seconds as f64,
            toml::Value::Float(seconds) => seconds,
            _ => f64::NAN,
        };
        let seconds = Duration::try_from_secs_f64(seconds);
        seconds.map(Seconds).map_err(|_| de::Error::custom("expected a number of seconds, as 5 or 0.25"))
    }
}

/// A signal's number: by number or by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signum(pub i32);

impl<'de> Deserialize<'de> for Signum {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Signum, D::Error> {
        let Text(text) = Text::deserialize(from)?;
        let number = signals::number(&text).map_err(|problem| {
            de::Error::custom(format!("expected a signal that can be watched, as \"usr1\" or 10: {problem}"))
        });
        number.map(Signum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = r#"
        component = "limiter.wasm"
        [config]
        per-second = 5
        strict = true
        [grants]
        listen = { clients = "127.0.0.1:7000" }
        connect = { db = "localhost:5432" }
        http = ["example.org", "localhost:8080"]
        tcp-connect = ["10.0.0.0/8:80"]
        tcp-listen = ["127.0.0.1:0"]
        udp-send = ["*:53"]
        udp-bind = ["[::1]:0"]
        name-lookup = true
        signals = ["usr1", 12]
        async-handles = ["flush"]
        plugins = { alarms = "tailer" }
        [limits]
        memory = "16M"
        handles = 100
        loops = 1
        descriptors = 20
        mailbox-messages = 5
        mailbox-bytes = 4096
        start = 0.5
        [restart]
        policy = "always"
        initial = 0.25
        max = 30
        reset = 120
    "#;

    #[test]
    fn every_key_is_read() {
        let manifest = Manifest::parse("a.toml", ALL.as_bytes()).unwrap();
        assert_eq!(manifest.component.as_deref(), Some("limiter.wasm"));
        let config: Vec<_> = manifest.config.iter().map(|(key, value)| (&key[..], &value.0[..])).collect();
        assert_eq!(config, [("per-second", "5"), ("strict", "true")]);
        assert_eq!(manifest.grants.listen["clients"].port(), 7000);
        assert_eq!(manifest.grants.http.len(), 2);
        assert!(manifest.grants.name_lookup);
        assert_eq!(manifest.grants.signals, [Signum(10), Signum(12)]);
        assert_eq!(manifest.grants.plugins["alarms"], "tailer");
        assert_eq!(manifest.limits.memory, Size(16 << 20));
        assert_eq!(manifest.limits.start, Seconds(Duration::from_millis(500)));
        let restart = Restart {
            policy: Policy::Always,
            initial: Duration::from_millis(250),
            max: Duration::from_secs(30),
            reset: Duration::from_secs(120),
        };
        assert_eq!(manifest.restart, restart);
        assert_eq!(Manifest::parse("a.toml", b"").unwrap(), Manifest::default());
    }

    #[test]
    fn what_is_wrong_is_one_sentence_with_file_line_and_key() {
        for (text, expected) in [
            ("lisen = 1", "a.toml, line 1: unknown key `lisen`, expected one of `component`, "),
            ("[grants]\nlisten = 5", "a.toml, line 2, at the key `listen`: invalid type"),
            ("[grants]\nliste = {}", "a.toml, line 2: unknown key `liste`, expected one of `listen`"),
            (
                "[grants]\nlisten = { a = \"localhost\" }",
                "a.toml, line 2, at the key `listen`: invalid socket",
            ),
            (
                "[grants]\nhttp = [\"http://a\"]",
                "a.toml, line 2, at the key `http`: \"http://a\" is a URL of http: name",
            ),
            (
                "[grants]\nudp-send = [\"a\"]",
                "a.toml, line 2, at the key `udp-send`: \"a\" is no ADDRESS[/BITS]:PORT",
            ),
            ("[grants]\nsignals = [\"kill\"]", "a.toml, line 2, at the key `signals`: expected a signal"),
            ("[limits]\nmemory = \"1T\"", "a.toml, line 2, at the key `memory`: expected a number of bytes"),
            ("[limits]\nmemory = -1", "a.toml, line 2, at the key `memory`: expected a number of bytes"),
            ("[limits]\nhandles = \"many\"", "a.toml, line 2, at the key `handles`: invalid type"),
            ("[restart]\npolicy = \"maybe\"", "a.toml, line 2, at the key `policy`: unknown variant"),
            ("[restart]\nmax = -1", "a.toml, line 2, at the key `max`: expected a number of seconds"),
            ("[restart]\nmaxx = 1", "a.toml, line 2: unknown key `maxx`, expected one of `policy`"),
            ("[config]\na = [1]", "a.toml, line 2, at the key `a`: expected a text"),
            ("component", "a.toml, line 1: "),
            ("a = 1\na = 1", "a.toml, line 2, at the key `a`: duplicate key"),
        ] {
            let error = Manifest::parse("a.toml", text.as_bytes()).unwrap_err();
            assert!(error.starts_with(expected), "{text:?}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
        assert_eq!(Manifest::parse("a.toml", b"\xff").unwrap_err(), "a.toml is no UTF-8 text");
    }
}
