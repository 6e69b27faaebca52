//! Makes the grants of a manifest, before a life of the plugin begins.

use crate::log::Log;
use crate::manifest::{Grants, Manifest};
use crate::network::{self, Http, OnDenied, Sockets};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use uv_handles_host::{AsyncSender, Denied, UvCtx};

/// The async handle whose messages come from outside.
pub const MAILBOX: &str = "mailbox";

/// How long a peer may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// The mailboxes of all plugins, by name. They exist before the plugin and outlive it, so that
/// plugins can be connected in any order and stay connected.
#[derive(Debug, Default)]
pub struct Mailboxes(Mutex<HashMap<String, AsyncSender>>);

impl Mailboxes {
    /// The mailbox of a plugin, made if there was none.
    pub fn of(&self, name: &str) -> AsyncSender {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = all.entry(name.to_owned()).or_insert_with(|| UvCtx::builder().async_sender(MAILBOX));
        sender.clone()
    }

    fn known(&self, name: &str) -> Option<AsyncSender> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// The listening sockets of a plugin. They stay open while the plugin restarts: clients that
/// connect meanwhile wait and are not refused.
#[derive(Debug, Default)]
pub struct Listeners(HashMap<(String, SocketAddr), TcpListener>);

impl Listeners {
    /// Closes the sockets that a manifest does not have.
    pub fn retain(&mut self, manifest: &Manifest) {
        self.0.retain(|(name, address), _| manifest.grants.listen.get(name) == Some(address));
    }

    fn get(&mut self, name: &str, address: SocketAddr) -> io::Result<&TcpListener> {
        match self.0.entry((name.to_owned(), address)) {
            std::collections::hash_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::hash_map::Entry::Vacant(place) => Ok(place.insert(TcpListener::bind(address)?)),
        }
    }
}

/// The grants of one life of a plugin.
#[derive(Debug)]
pub struct Granted {
    pub uv: UvCtx,
    /// The addresses of its sockets.
    pub listens: BTreeMap<String, SocketAddr>,
    /// The async handles that can be sent from outside.
    pub async_handles: HashMap<String, AsyncSender>,
}

/// The grants of WASI's network.
pub struct Network {
    pub sockets: Sockets,
    pub name_lookup: bool,
    pub http: Http,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("sockets", &self.sockets).finish_non_exhaustive()
    }
}

/// Makes all grants of a manifest; the error is a sentence that names the one that fails.
pub async fn make(
    log: &Arc<Log>,
    manifest: &Manifest,
    mailboxes: &Mailboxes,
    listeners: &mut Listeners,
) -> Result<(Granted, Network), String> {
    let mut uv = UvCtx::builder();
    let grants = &manifest.grants;
    let mut granted = HashMap::new();
    let mut once = |kind: &'static str, name: &String| match granted.insert(name.clone(), kind) {
        None => Ok(()),
        Some(other) => Err(format!("the grant {kind}.{name} fails: {other} has the same name")),
    };

    let mut listens = BTreeMap::new();
    listeners.retain(manifest);
    for (name, &address) in &grants.listen {
        once("listen", name)?;
        let refused = |error: io::Error| {
            let hint = match error.kind() {
                io::ErrorKind::AddrInUse => "; choose another address, or port 0 for any",
                io::ErrorKind::PermissionDenied => "; ports below 1024 take a privilege",
                _ => "",
            };
            format!("the grant listen.{name} fails: {address}: {error}{hint}")
        };
        let listener = listeners.get(name, address).map_err(refused)?;
        listens.insert(name.clone(), listener.local_addr().map_err(refused)?);
        let socket = listener.try_clone().map_err(refused)?;
        uv.descriptor(name, socket).map_err(refused)?;
    }
    for (name, peer) in &grants.connect {
        once("connect", name)?;
        let refused = |error: io::Error| format!("the grant connect.{name} fails: {peer}: {error}");
        // The first connection has to be possible. The plugin can connect again to the same address.
        let socket = connect(peer).await.map_err(refused)?;
        let address = socket.peer_addr().map_err(refused)?;
        let first = Mutex::new(Some(OwnedFd::from(socket)));
        uv.descriptor_with(name, move || match first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(socket) => Ok(socket),
            None => connect_again(address),
        });
    }
    for signum in &grants.signals {
        uv.signal(signum.0);
    }
    let mut async_handles = HashMap::new();
    for name in &grants.async_handles {
        if [MAILBOX, uv_handles_host::STOP].contains(&&name[..]) {
            return Err(format!("the grant async-handles has {name}, which every plugin is granted anyway"));
        }
        async_handles.insert(name.clone(), uv.async_sender(name));
    }
    for (name, other) in &grants.plugins {
        let mailbox = mailboxes.known(other).ok_or_else(|| {
            format!("the grant plugins.{name} fails: there is no plugin {}", other.escape_debug())
        })?;
        uv.async_connection(name, &mailbox);
    }
    uv.reuse_async_sender(&mailboxes.of(&log.plugin));
    uv.async_sender(uv_handles_host::STOP);

    uv.limits(|limits| {
        limits.handles = manifest.limits.handles;
        limits.loops = manifest.limits.loops;
        limits.descriptors = manifest.limits.descriptors;
        limits.mailbox_messages = manifest.limits.mailbox_messages;
        limits.mailbox_bytes = u32::try_from(manifest.limits.mailbox_bytes.0).unwrap_or(u32::MAX);
    });
    let told = Arc::new(Told { log: log.clone(), known: Mutex::default() });
    let listener = told.clone();
    uv.on_denied(move |denied| listener.tell(denied));
    let network = network(grants, told).await?;
    Ok((Granted { uv: uv.build(), listens, async_handles }, network))
}

async fn network(grants: &Grants, told: Arc<Told>) -> Result<Network, String> {
    let sockets = Sockets {
        tcp_connect: grants.tcp_connect.clone(),
        tcp_listen: grants.tcp_listen.clone(),
        udp_send: grants.udp_send.clone(),
        udp_bind: grants.udp_bind.clone(),
    };
    let resolved = tokio::task::spawn_blocking(move || sockets.resolved()).await;
    let sockets = resolved.map_err(|error| error.to_string()).flatten();
    let sockets = sockets.map_err(|error| format!("the grant {error}"))?;
    let on_denied: OnDenied = Arc::new(move |denied| told.tell_of_network(&denied));
    let http = Http { hosts: grants.http.clone(), on_denied };
    Ok(Network { sockets, name_lookup: grants.name_lookup, http })
}

async fn connect(peer: &str) -> io::Result<std::net::TcpStream> {
    let connected = tokio::time::timeout(CONNECT, TcpStream::connect(peer)).await;
    let socket = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    socket.into_std()
}

/// Connects on a plugin's behalf, whose call waits for it. Other plugins go on meanwhile.
fn connect_again(address: SocketAddr) -> io::Result<OwnedFd> {
    let connect = || std::net::TcpStream::connect_timeout(&address, CONNECT);
    Ok(tokio::task::block_in_place(connect)?.into())
}

/// Logs each request of a plugin that was not granted, once: its code or its manifest may be wrong.
#[derive(Debug)]
struct Told {
    log: Arc<Log>,
    known: Mutex<HashSet<String>>,
}

/// The limit of logged requests, so that a plugin cannot fill the log.
const MOST_TOLD: usize = 16;

impl Told {
    fn tell(&self, denied: Denied<'_>) {
        let what = match denied {
            Denied::Descriptor(name) => {
                format!("the descriptor {:?} (grants.listen, grants.connect)", short(name))
            }
            Denied::Signal(signum) => format!("the signal {signum} (grants.signals)"),
            Denied::AsyncHandle(name) => format!("the async handle {:?} (grants.async-handles)", short(name)),
            Denied::AsyncSender(name) => format!("the connection {:?} (grants.plugins)", short(name)),
            other => short(&format!("{other:?}")),
        };
        self.tell_once(what);
    }

    fn tell_of_network(&self, denied: &network::Denied) {
        use network::Denied;
        self.tell_once(match denied {
            Denied::Http(host) => format!("HTTP requests to {:?} (grants.http)", short(host)),
            Denied::TcpConnect(address) => format!("a TCP connection to {address} (grants.tcp-connect)"),
            Denied::TcpListen(address) => {
                format!("a TCP socket that listens on {address} (grants.tcp-listen)")
            }
            Denied::UdpSend(address) => format!("datagrams to {address} (grants.udp-send)"),
            Denied::UdpBind(address) => format!("a UDP socket on {address} (grants.udp-bind)"),
            Denied::Lookup(name) => format!("the addresses of {:?} (grants.name-lookup)", short(name)),
        });
    }

    fn tell_once(&self, what: String) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_TOLD && known.insert(what.clone()) {
            self.log.warns(&format!("it asks for {what}, which its manifest does not grant"));
        }
    }
}

/// A name that a plugin has chosen: it may be long and contain any characters.
fn short(name: &str) -> String {
    name.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn granted(manifest: &str, listeners: &mut Listeners) -> Result<Granted, String> {
        let manifest = Manifest::parse("a.toml", manifest.as_bytes()).unwrap();
        let mailboxes = Mailboxes::default();
        mailboxes.of("other");
        make(&Log::new(&"a".into()), &manifest, &mailboxes, listeners).await.map(|(granted, _)| granted)
    }

    #[tokio::test]
    async fn a_grant_that_fails_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let absent = {
            let gone = TcpListener::bind("127.0.0.1:0").unwrap();
            gone.local_addr().unwrap()
        };
        for (grants, expected) in [
            (format!("listen = {{ a = \"{address}\" }}"), format!("the grant listen.a fails: {address}: ")),
            (format!("connect = {{ b = \"{absent}\" }}"), format!("the grant connect.b fails: {absent}: ")),
            ("connect = { b = \"nowhere\" }".into(), "the grant connect.b fails: nowhere: ".into()),
            (
                "plugins = { c = \"absent\" }".into(),
                "the grant plugins.c fails: there is no plugin absent".into(),
            ),
            (
                "listen = { a = \"127.0.0.1:0\" }\nconnect = { a = \"x\" }".into(),
                "the grant connect.a fails: listen has the same name".into(),
            ),
            (
                "tcp-connect = [\"name.invalid:1\"]".into(),
                "the grant tcp-connect name.invalid:1 cannot be resolved".into(),
            ),
            ("async-handles = [\"stop\"]".into(), "the grant async-handles has stop, which".into()),
        ] {
            let error = granted(&format!("[grants]\n{grants}"), &mut Listeners::default()).await.unwrap_err();
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    #[tokio::test]
    async fn a_socket_that_listens_outlives_the_plugin_and_goes_with_its_manifest() {
        let mut listeners = Listeners::default();
        let manifest = "grants = { listen = { a = \"127.0.0.1:0\" }, plugins = { o = \"other\" } }";
        let first = granted(manifest, &mut listeners).await.unwrap().listens;
        let second = granted(manifest, &mut listeners).await.unwrap().listens;
        assert_eq!(first, second);
        assert!(granted("", &mut listeners).await.unwrap().listens.is_empty());
        assert!(std::net::TcpStream::connect(first["a"]).is_err());
    }
}
