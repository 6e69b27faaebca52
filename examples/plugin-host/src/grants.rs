//! Makes the grants of a manifest, before a life of the plugin begins.

use crate::manifest::Manifest;
use crate::shared::network::{self, Http, Sockets};
use crate::shared::text::quoted;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uv_handles_host::supervisor::{MAILBOX, Mailboxes, PluginLog};
use uv_handles_host::{AsyncSender, Denied, STOP, UvCtxBuilder};

/// How long a peer may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// The listening sockets of a plugin. They stay open while the plugin restarts: clients that
/// connect meanwhile wait and are not refused.
#[derive(Debug, Default)]
pub struct Listeners(BTreeMap<(String, SocketAddr), TcpListener>);

impl Listeners {
    fn get(&mut self, name: &str, address: SocketAddr) -> io::Result<&TcpListener> {
        match self.0.entry((name.to_owned(), address)) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(TcpListener::bind(address)?)),
        }
    }

    /// Closes the sockets that the manifest of the plugin that runs does not have.
    pub fn retain(&mut self, manifest: &Manifest) {
        self.0.retain(|(name, address), _| manifest.grants.listen.get(name) == Some(address));
    }
}

/// The grants that others use.
#[derive(Debug, Clone, Default)]
pub struct Granted {
    /// The addresses of its sockets.
    pub listens: BTreeMap<String, SocketAddr>,
    /// The async handles that can be sent from outside.
    pub async_handles: HashMap<String, AsyncSender>,
}

/// The grants of one life beside those of its context.
pub struct Grants {
    pub sockets: Sockets,
    pub name_lookup: bool,
    pub http: Http,
    pub granted: Granted,
}

/// Makes all grants of a manifest; the error is a sentence that names the one that fails.
pub fn make(
    uv: &mut UvCtxBuilder,
    log: &Arc<PluginLog>,
    manifest: &Manifest,
    mailboxes: &Mailboxes,
    listeners: &mut Listeners,
) -> Result<Grants, String> {
    let grants = &manifest.grants;
    let mut names = HashMap::new();
    let mut once = |kind: &'static str, name: &String| match names.insert(name.clone(), kind) {
        None => Ok(()),
        Some(other) => Err(format!("the grant {kind}.{name} fails: {other} has the same name")),
    };
    let mut granted = Granted::default();
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
        granted.listens.insert(name.clone(), listener.local_addr().map_err(refused)?);
        uv.descriptor(name, listener.try_clone().map_err(refused)?).map_err(refused)?;
    }
    for (name, peer) in &grants.connect {
        once("connect", name)?;
        let refused = |error: io::Error| format!("the grant connect.{name} fails: {peer}: {error}");
        // The first connection has to be possible. The plugin can connect again to the same address.
        let socket = connect(peer).map_err(refused)?;
        let address = socket.peer_addr().map_err(refused)?;
        let first = Mutex::new(Some(OwnedFd::from(socket)));
        uv.descriptor_with(name, move || match first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(socket) => Ok(socket),
            // The plugin's call waits for it. Other plugins go on meanwhile.
            None => tokio::task::block_in_place(|| Ok(TcpStream::connect_timeout(&address, CONNECT)?.into())),
        });
    }
    for &signum in grants.signals.iter().flat_map(|list| &list.0) {
        uv.signal(signum);
    }
    for name in &grants.async_handles {
        if [MAILBOX, STOP].contains(&&name[..]) {
            return Err(format!("the grant async-handles has {name}, which every plugin is granted anyway"));
        }
        granted.async_handles.insert(name.clone(), uv.async_sender(name));
    }
    for (name, other) in &grants.plugins {
        let mailbox = mailboxes.get(other).ok_or_else(|| {
            format!("the grant plugins.{name} fails: there is no plugin {}", other.escape_debug())
        })?;
        uv.async_connection(name, &mailbox);
    }
    let limits = &manifest.limits;
    uv.limits(|uv| {
        uv.handles = limits.handles.unwrap_or(uv.handles);
        uv.loops = limits.loops.unwrap_or(uv.loops);
        uv.descriptors = limits.descriptors.unwrap_or(uv.descriptors);
        uv.mailbox_messages = limits.mailbox_messages.unwrap_or(uv.mailbox_messages);
        let bytes = limits.mailbox_bytes.map_or(uv.mailbox_bytes.into(), |size| size.0);
        uv.mailbox_bytes = bytes.try_into().unwrap_or(u32::MAX);
    });
    let told = log.clone();
    uv.on_denied(move |denied| tell_uv(&told, denied));
    let sockets = Sockets {
        tcp_connect: grants.tcp_connect.clone(),
        tcp_listen: grants.tcp_listen.clone(),
        udp_send: grants.udp_send.clone(),
        udp_bind: grants.udp_bind.clone(),
    };
    let sockets = sockets.resolved().map_err(|error| format!("the grant {error}"))?;
    let told = log.clone();
    let on_denied = Arc::new(move |denied: network::Denied| {
        tell(&told, &denied, &format!("grants.{}", denied.grant().0));
    });
    let http = Http { hosts: grants.http.clone(), on_denied };
    Ok(Grants { sockets, name_lookup: grants.name_lookup, http, granted })
}

fn connect(peer: &str) -> io::Result<TcpStream> {
    let mut result = Err(io::ErrorKind::AddrNotAvailable.into());
    for address in peer.to_socket_addrs()? {
        result = result.or_else(|_| TcpStream::connect_timeout(&address, CONNECT));
    }
    result
}

/// Logs a request of a plugin that was not granted: its code or its manifest may be wrong.
fn tell(log: &PluginLog, what: impl Display, keys: &str) {
    log.denied(format_args!("it asks for {what} ({keys}), which its manifest does not grant"));
}

fn tell_uv(log: &PluginLog, denied: Denied<'_>) {
    let (what, keys) = match denied {
        Denied::Descriptor(name) => {
            (format!("the descriptor {}", quoted(name)), "grants.listen, grants.connect")
        }
        Denied::Signal(signum) => (format!("the signal {signum}"), "grants.signals"),
        Denied::AsyncHandle(name) => (format!("the async handle {}", quoted(name)), "grants.async-handles"),
        Denied::AsyncSender(name) => (format!("the connection {}", quoted(name)), "grants.plugins"),
        other => (format!("{other:?}"), "grants"),
    };
    tell(log, what, keys);
}
