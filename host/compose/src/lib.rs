//! Composes a guest of `uv:handles` with the adapter.
//!
//! The result imports only WASI 0.2 and runs on any runtime that has it.

#![forbid(unsafe_code)]
#![deny(missing_docs, missing_debug_implementations)]

use anyhow::{Context, Result, bail, ensure};
use std::fmt;
use wac_graph::types::{ItemKind, Package, Types};
use wac_graph::{CompositionGraph, EncodeOptions, PackageId, plug};

/// The variants of the adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapter {
    /// Everything but descriptors. It imports a clock and pollables.
    Loops,
    /// With descriptors. It also imports the environment, the standard streams and sockets.
    Descriptors,
}

impl Adapter {
    /// Both variants.
    pub const ALL: [Adapter; 2] = [Adapter::Loops, Adapter::Descriptors];

    /// The adapter with the fewest imports that has all that this guest uses.
    ///
    /// # Errors
    ///
    /// If it is not a valid component. The message is one sentence.
    pub fn of(guest: &[u8]) -> Result<Adapter> {
        let mut graph = CompositionGraph::new();
        let guest = register_guest(&mut graph, guest)?;
        match is_imported(&graph, guest, DESCRIPTORS, &["[static]descriptor.open"]) {
            true => Ok(Adapter::Descriptors),
            false => Ok(Adapter::Loops),
        }
    }

    /// The name of its file.
    pub fn file_name(self) -> &'static str {
        match self {
            Adapter::Loops => "uv-handles-adapter.wasm",
            Adapter::Descriptors => "uv-handles-adapter-descriptors.wasm",
        }
    }
}

const DESCRIPTORS: &str = "uv:handles/descriptors";

/// A composed component.
#[derive(Debug)]
pub struct Composed {
    /// The component.
    pub bytes: Vec<u8>,
    /// Features that the guest imports and the adapter refuses.
    pub lost: Vec<Lost>,
}

/// A feature that the native host has and the adapter has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Watching signals.
    Signals,
    /// Opening descriptors, and so polling them.
    Descriptors,
    /// Datagrams.
    Datagrams,
    /// Async handles that the host can send.
    NamedAsyncHandles,
    /// Sending another guest's async handles.
    Connections,
}

impl Lost {
    /// The features that a variant of the adapter has not.
    fn with(adapter: Adapter) -> [Lost; 4] {
        match adapter {
            Adapter::Loops => [Lost::Signals, Lost::Descriptors, Lost::NamedAsyncHandles, Lost::Connections],
            Adapter::Descriptors => {
                [Lost::Signals, Lost::Datagrams, Lost::NamedAsyncHandles, Lost::Connections]
            }
        }
    }

    /// The interface of the feature, and the functions of which a guest imports one to use it.
    fn functions(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Lost::Signals => ("uv:handles/signal", &["[static]signal.create"]),
            Lost::Descriptors => (DESCRIPTORS, &["[static]descriptor.open"]),
            Lost::Datagrams => (DESCRIPTORS, &["[method]descriptor.recv-from", "[method]descriptor.send-to"]),
            Lost::NamedAsyncHandles => ("uv:handles/async-handle", &["[static]async-handle.create-named"]),
            Lost::Connections => ("uv:handles/async-sender", &["[static]async-sender.open"]),
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lost::Signals => "uv:handles/signal: starting a signal handle will be refused with ENOSYS",
            Lost::Descriptors => {
                "uv:handles/descriptors and uv:handles/poll: opening a descriptor will be refused with ENOSYS"
            }
            Lost::Datagrams => {
                "uv:handles/descriptors.recv-from and send-to: datagrams will be refused with ENOSYS"
            }
            Lost::NamedAsyncHandles => {
                "uv:handles/async-handle.create-named: making a named async handle will be refused with ENOENT"
            }
            Lost::Connections => "uv:handles/async-sender: opening a connection will be refused with ENOENT",
        })
    }
}

/// Plugs the adapter into a guest.
///
/// # Errors
///
/// If the guest cannot be composed. The message is one sentence.
pub fn compose(guest: &[u8], adapter: &[u8]) -> Result<Composed> {
    let mut graph = CompositionGraph::new();
    let guest = register_guest(&mut graph, guest)?;
    let adapter = register(&mut graph, "uv-handles:adapter", adapter).context("the adapter is not valid")?;
    let lost = check_imports(&graph, guest, adapter)?;
    plug(&mut graph, vec![adapter], guest).context("the adapter cannot be plugged into it")?;
    let bytes = graph.encode(EncodeOptions::default()).context("the composition is not valid")?;
    let composed =
        register(&mut graph, "uv-handles:composed", &bytes).context("the composition is not valid")?;
    let left = imports(&graph, composed).into_iter().find(|name| is_ours(name));
    if let Some(name) = left {
        bail!("it uses {name} in another way than the adapter offers it");
    }
    Ok(Composed { bytes, lost })
}

fn register_guest(graph: &mut CompositionGraph, guest: &[u8]) -> Result<PackageId> {
    check_format(guest)?;
    register(graph, "uv-handles:guest", guest).context("it is not a valid component")
}

fn register(graph: &mut CompositionGraph, name: &str, bytes: &[u8]) -> Result<PackageId> {
    let package = Package::from_bytes(name, None, bytes, graph.types_mut())?;
    Ok(graph.register_package(package)?)
}

/// Refuses bytes that are not a component, with a message that names their format.
fn check_format(bytes: &[u8]) -> Result<()> {
    let text = bytes.trim_ascii_start();
    ensure!(
        !text.starts_with(b"(component") && !text.starts_with(b"(module"),
        "it is WebAssembly's text format; `wasm-tools parse` makes a binary of it"
    );
    ensure!(bytes.starts_with(b"\0asm"), "it is not WebAssembly");
    // The last two bytes of the header tell a component (1) from a core module (0).
    ensure!(
        bytes.get(6..8) != Some(&[0, 0]),
        "it is a core module, not a component: build it for wasm32-wasip2"
    );
    Ok(())
}

fn imports(graph: &CompositionGraph, package: PackageId) -> Vec<String> {
    graph.types()[graph[package].ty()].imports.keys().cloned().collect()
}

fn exports(graph: &CompositionGraph, package: PackageId) -> Vec<String> {
    graph.types()[graph[package].ty()].exports.keys().cloned().collect()
}

fn is_ours(name: &str) -> bool {
    name.starts_with("uv:handles/") || name.starts_with("uv:wasi/")
}

/// The interface and the version of an import's name.
fn parts(name: &str) -> (&str, &str) {
    name.split_once('@').unwrap_or((name, ""))
}

/// The package of an interface.
fn package(interface: &str) -> &str {
    interface.split('/').next().unwrap_or(interface)
}

/// Refuses a guest that the adapter does not fit. Returns the features that the guest loses.
fn check_imports(graph: &CompositionGraph, guest: PackageId, adapter: PackageId) -> Result<Vec<Lost>> {
    let offered = exports(graph, adapter);
    ensure!(offered.iter().any(|name| is_ours(name)), "the adapter does not export uv:handles");
    let wanted = imports(graph, guest);
    let mut wanted = wanted.iter().filter(|name| is_ours(name)).peekable();
    ensure!(wanted.peek().is_some(), "it does not import uv:handles, so there is nothing to compose");
    for name in wanted {
        let (interface, its) = parts(name);
        let package_of_it = package(interface);
        let of_package =
            offered.iter().map(|name| parts(name)).find(|(path, _)| package(path) == package_of_it);
        let version =
            of_package.with_context(|| format!("it imports {name}, which the adapter does not have"))?.1;
        let fits = compatible(its).is_some() && compatible(its) == compatible(version);
        ensure!(fits, "it imports {name}, and the adapter has {package_of_it}@{version}");
        let known = offered.iter().any(|offered| parts(offered).0 == interface);
        ensure!(known, "it imports {name}, which the adapter does not have");
    }
    let plugin = exports(graph, guest).iter().any(|name| parts(name).0 == "uv:handles/plugin-events");
    ensure!(
        !plugin,
        "it is a plugin, whose loops an embedder runs, and the adapter runs those of programs only"
    );
    let sockets = imports(graph, adapter).iter().any(|name| name.starts_with("wasi:sockets/"));
    let lost = Lost::with(if sockets { Adapter::Descriptors } else { Adapter::Loops }).into_iter();
    let is_used = |lost: &Lost| {
        let (interface, functions) = lost.functions();
        is_imported(graph, guest, interface, functions)
    };
    Ok(lost.filter(is_used).collect())
}

/// Whether a component imports one of these functions.
fn is_imported(graph: &CompositionGraph, package: PackageId, interface: &str, functions: &[&str]) -> bool {
    let types = graph.types();
    types[graph[package].ty()].imports.iter().any(|(name, kind)| {
        parts(name).0 == interface && functions.iter().any(|function| has(types, *kind, function))
    })
}

fn has(types: &Types, kind: ItemKind, function: &str) -> bool {
    match kind {
        ItemKind::Instance(interface) => types[interface].exports.contains_key(function),
        _ => false,
    }
}

/// The part of a version that compatible versions share: below 1.0, the first two numbers.
fn compatible(version: &str) -> Option<(&str, &str)> {
    let (major, rest) = version.split_once('.')?;
    let minor = if major == "0" { rest.split_once('.')?.0 } else { "" };
    Some((major, minor))
}
