//! A plugin that takes as much of the host as it gets (tests/guest-greedy), with grants of every kind.

use crate::os::{SIGWINCH, connect, listener};
use crate::{State, async_linker, component, linker};
use std::net::TcpStream;
use std::sync::Arc;
use uv_handles_host::{
    AsyncSender, UvCtx, UvCtxBuilder, interrupt_by_epochs_async, interrupt_by_epochs_sync,
};
use wasmtime::component::{Component, Instance, InstancePre, TypedFunc};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::WasiCtx;

/// The limit of handles.
pub const HANDLES: u32 = 10_000;

/// The number of connections that wait to be accepted.
pub const CLIENTS: u32 = 100;

/// The limit of messages in a [`mailbox`].
pub const MESSAGES: u32 = 1_000;

/// The kinds of resources that the plugin takes.
pub const KINDS: [&str; 14] = [
    "timer",
    "due-timer",
    "idle",
    "prepare",
    "check",
    "async",
    "signal",
    "poll",
    "closing",
    "loop",
    "descriptor",
    "sender",
    "message",
    "denied",
];

/// The plugin's exports. Each can be called synchronously and asynchronously.
#[allow(missing_debug_implementations, reason = "TypedFunc has none")]
#[derive(Clone)]
pub struct Greedy {
    /// Takes so many of a kind, and returns how many the host gave.
    pub take: TypedFunc<(&'static str, u32), (u32,)>,
    /// Takes so many of a kind and gives each up before the next.
    pub churn: TypedFunc<(&'static str, u32), ()>,
    /// Gives up everything.
    pub give_up: TypedFunc<(), ()>,
    /// The other sides of its connections.
    _clients: Arc<[TcpStream]>,
}

/// The compiled plugin.
#[allow(missing_debug_implementations, reason = "InstancePre has none")]
pub struct GreedyPlugins {
    pre: InstancePre<State>,
    async_pre: InstancePre<State>,
}

impl GreedyPlugins {
    /// Compiles the plugin.
    ///
    /// # Errors
    ///
    /// wasmtime's.
    pub fn new(engine: &Engine) -> Result<GreedyPlugins> {
        let component = Component::from_file(engine, component("greedy-guest"))?;
        Ok(GreedyPlugins {
            pre: linker(engine)?.instantiate_pre(&component)?,
            async_pre: async_linker(engine)?.instantiate_pre(&component)?,
        })
    }

    /// Makes an instance for a set. Its messages go to `peer`.
    ///
    /// # Errors
    ///
    /// wasmtime's.
    pub fn instance(&self, peer: &AsyncSender) -> Result<(Store<State>, Instance, Greedy)> {
        let (mut store, clients) = self.store(peer);
        interrupt_by_epochs_sync(&mut store);
        let instance = self.pre.instantiate(&mut store)?;
        let exports = Greedy::new(&mut store, &instance, clients)?;
        Ok((store, instance, exports))
    }

    /// Makes an instance whose exports are called asynchronously.
    ///
    /// # Errors
    ///
    /// wasmtime's.
    pub async fn async_instance(&self, peer: &AsyncSender) -> Result<(Store<State>, Instance, Greedy)> {
        let (mut store, clients) = self.store(peer);
        interrupt_by_epochs_async(&mut store);
        let instance = self.async_pre.instantiate_async(&mut store).await?;
        let exports = Greedy::new(&mut store, &instance, clients)?;
        Ok((store, instance, exports))
    }

    fn store(&self, peer: &AsyncSender) -> (Store<State>, Vec<TcpStream>) {
        let (listener, address) = listener();
        let clients = (0..CLIENTS).map(|_| connect(address)).collect();
        let mut uv = UvCtx::builder();
        uv.signal(SIGWINCH).descriptor("clients", listener).expect("it is a socket");
        uv.async_connection("peer", peer).limits(|limits| limits.handles = HANDLES).on_denied(|_| {});
        let state = State::new(uv.plugin().build(), WasiCtx::builder().build());
        (Store::new(self.pre.engine(), state), clients)
    }
}

impl Greedy {
    fn new(store: &mut Store<State>, instance: &Instance, clients: Vec<TcpStream>) -> Result<Greedy> {
        Ok(Greedy {
            take: instance.get_typed_func(&mut *store, "take")?,
            churn: instance.get_typed_func(&mut *store, "churn")?,
            give_up: instance.get_typed_func(store, "give-up")?,
            _clients: clients.into(),
        })
    }
}

/// Grants a mailbox to a context, for the messages of greedy plugins.
pub fn mailbox(uv: &mut UvCtxBuilder, name: &str) -> AsyncSender {
    uv.limits(|limits| limits.mailbox_messages = MESSAGES).async_sender(name)
}
