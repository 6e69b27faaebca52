//! The builder of a guest's context, with a method per grant.

use crate::ctx::clock::{Clock, VirtualClock};
use crate::ctx::denied::{Denied, OnDenied};
use crate::ctx::epoch_deadline::EpochDeadline;
use crate::ctx::interrupt::InterruptHandle;
use crate::ctx::limits::Limits;
use crate::ctx::run_keys::RunKeys;
use crate::ctx::turn::Turn;
use crate::ctx::watch::Watch;
use crate::ctx::{SignalWatch, UvCtx};
use crate::grants::async_sender::{AsyncHandles, AsyncSender};
use crate::grants::connections::Connections;
use crate::os::descriptors::Descriptors;
use crate::os::fd::{AsStream, Grantable};
use crate::os::outputs::Outputs;
use crate::os::pollers::Pollers;
use crate::os::signal_log::Position;
use crate::os::stdin::Input;
use crate::os::stdout::Output;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use uv_handles_core::Loops;

/// Configures a [`UvCtx`]. A new builder grants nothing.
///
/// ```
/// use std::net::TcpListener;
/// use uv_handles_host::UvCtx;
///
/// let mut builder = UvCtx::builder();
/// builder.descriptor("clients", TcpListener::bind("127.0.0.1:0")?)?;
/// builder.signal(15);
/// let reload = builder.async_sender("reload");
/// let ctx = builder.build();
/// # drop(ctx);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct UvCtxBuilder {
    limits: Limits,
    descriptors: Descriptors,
    outputs: Vec<Arc<Output>>,
    signals: u64,
    async_handles: AsyncHandles,
    connections: Connections,
    virtual_clock: Option<VirtualClock>,
    on_denied: OnDenied,
    pub(super) interrupt: InterruptHandle,
    is_plugin: bool,
    watch: Option<Box<Watch>>,
}

impl UvCtxBuilder {
    /// Creates a builder without grants, with the default limits, in real time.
    pub fn new() -> UvCtxBuilder {
        UvCtxBuilder {
            limits: Limits::default(),
            descriptors: Descriptors::default(),
            outputs: Vec::new(),
            signals: 0,
            async_handles: AsyncHandles::new(Limits::default().mailbox()),
            connections: Connections::default(),
            virtual_clock: None,
            on_denied: OnDenied::default(),
            interrupt: InterruptHandle::default(),
            is_plugin: false,
            watch: None,
        }
    }

    /// Sets limits.
    ///
    /// ```
    /// # use uv_handles_host::UvCtx;
    /// UvCtx::builder().limits(|limits| limits.handles = 1_000_000);
    /// ```
    pub fn limits(&mut self, set: impl FnOnce(&mut Limits)) -> &mut UvCtxBuilder {
        set(&mut self.limits);
        self
    }

    /// Grants a descriptor under a name: a listening or connected socket, a pipe, a terminal, or
    /// any other descriptor that can be polled. A later grant of the same name replaces an earlier
    /// one.
    ///
    /// The guest gets a duplicate. It has at most one at a time, and may open it again after
    /// closing it. The grant stays open as long as the context. No call of the guest blocks,
    /// whatever the mode of the open file description, and others may share the description: other
    /// guests, the embedder, other processes. Few descriptors, listening sockets among them, have
    /// no other way than the non-blocking mode. Theirs is switched when the guest first uses them,
    /// and back when the last context with the description is dropped. For a shared standard
    /// input, use [`stdin`](UvCtxBuilder::stdin). For a descriptor that nothing else uses,
    /// [`exclusive_descriptor`](UvCtxBuilder::exclusive_descriptor) takes fewer system calls.
    ///
    /// # Errors
    ///
    /// Returns the OS's error if the descriptor cannot be examined.
    pub fn descriptor(
        &mut self,
        name: impl Into<String>,
        fd: impl Into<Grantable>,
    ) -> io::Result<&mut UvCtxBuilder> {
        self.descriptors.grant(name.into(), fd.into())?;
        Ok(self)
    }

    /// Grants a descriptor whose open file description nothing else uses: no other process has it, and
    /// this process has no duplicate of it. It is switched to non-blocking mode at once and stays in it.
    ///
    /// The guest's calls rely on that mode. They take fewer system calls than those on a
    /// [`descriptor`](UvCtxBuilder::descriptor) that is a pipe, an eventfd or a listening socket, and
    /// each socket on Windows. Everything else is as for `descriptor`. If something does switch the
    /// description back to blocking mode, a call of the guest **blocks the host's thread**.
    ///
    /// ```
    /// # use std::net::TcpListener;
    /// # use uv_handles_host::UvCtx;
    /// // Made here, and moved into the grant.
    /// UvCtx::builder().exclusive_descriptor("clients", TcpListener::bind("127.0.0.1:0")?)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the OS's error if the mode cannot be set.
    pub fn exclusive_descriptor(
        &mut self,
        name: impl Into<String>,
        fd: impl Into<Grantable>,
    ) -> io::Result<&mut UvCtxBuilder> {
        self.descriptors.grant_exclusive(name.into(), fd.into())?;
        Ok(self)
    }

    /// Grants descriptors that a function makes, one each time the guest opens this name. With a
    /// function that connects, the guest can connect again after its connection has failed.
    ///
    /// The function runs on the guest's thread, inside the guest's call. An error is the guest's, with
    /// its OS error number; without one it is `other(-4094)`, libuv's UV_UNKNOWN. Everything else is as
    /// for [`descriptor`](UvCtxBuilder::descriptor).
    ///
    /// ```
    /// # use std::net::TcpStream;
    /// # use uv_handles_host::UvCtx;
    /// UvCtx::builder().descriptor_with("db", || Ok(TcpStream::connect("127.0.0.1:5432")?.into()));
    /// ```
    pub fn descriptor_with(
        &mut self,
        name: impl Into<String>,
        make: impl Fn() -> io::Result<Grantable> + Send + Sync + 'static,
    ) -> &mut UvCtxBuilder {
        self.descriptors.grant_made(name.into(), make);
        self
    }

    /// Grants an input under a name, for reading only: the process's standard input, or another
    /// pipe, socket, terminal or file, /dev/null included.
    ///
    /// The host reads when the guest reads, and no more than the guest asks for. Unread bytes stay
    /// in the input for other processes that share it. The mode of the open file description does
    /// not change. A file is always readable, at its end too.
    ///
    /// Few inputs can be neither reopened nor read without blocking, for example a terminal of
    /// another user. If another process takes the bytes for which such an input was ready, a thread
    /// waits for the next ones. The thread may outlive the context.
    ///
    /// ```no_run
    /// # use uv_handles_host::UvCtx;
    /// UvCtx::builder().stdin("stdin", std::io::stdin())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the OS's error if the input is not open, or no descriptor is available.
    pub fn stdin(&mut self, name: impl Into<String>, input: impl AsStream) -> io::Result<&mut UvCtxBuilder> {
        self.descriptors.grant_input(name.into(), Input::from(&input)?);
        Ok(self)
    }

    /// Grants an output under a name, for writing only: the process's standard output, or another
    /// pipe, socket, terminal or file.
    ///
    /// The host writes when the guest writes, so the order of calls is kept, also among writers
    /// that share the output. The mode of the open file description does not change. A write
    /// without a reader fails with EPIPE and raises no signal. A file is always writable.
    ///
    /// Few outputs can be neither reopened nor written without blocking, for example a terminal of
    /// another user. A thread completes a write that blocks on such an output. Dropping the context
    /// waits for it, unless the guest was [interrupted](UvCtx::interrupt_handle).
    ///
    /// ```no_run
    /// # use uv_handles_host::UvCtx;
    /// UvCtx::builder().stdout("stdout", std::io::stdout())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the OS's error if the output is not open, or no descriptor is available.
    pub fn stdout(
        &mut self,
        name: impl Into<String>,
        output: impl AsStream,
    ) -> io::Result<&mut UvCtxBuilder> {
        let output = Arc::new(Output::to(&output)?);
        self.outputs.push(output.clone());
        self.descriptors.grant_output(name.into(), output);
        Ok(self)
    }

    /// Lets the guest watch a signal, by Linux's number. Numbers that cannot be watched (0,
    /// SIGKILL, SIGSEGV, ...) are ignored here, and refused when the guest starts a handle.
    pub fn signal(&mut self, signum: i32) -> &mut UvCtxBuilder {
        if (1..=64).contains(&signum) {
            self.signals |= 1 << (signum - 1);
        }
        self
    }

    /// Lets the guest make an async handle with this name, and returns its sender.
    pub fn async_sender(&mut self, name: impl Into<String>) -> AsyncSender {
        self.async_handles.grant(name.into())
    }

    /// Names the guest in the spans of `tracing`.
    pub fn name(&mut self, name: impl Into<Arc<str>>) -> &mut UvCtxBuilder {
        self.watch().name = Some(name.into());
        self
    }

    /// Sets a function that is called after each callback of a plugin that took longer than
    /// `limit`, with the time that it took. In a task that includes the turns of other tasks.
    ///
    /// The function runs on the plugin's thread. A callback that never returns is not reported: see
    /// [`callback_deadline`](UvCtxBuilder::callback_deadline).
    pub fn on_slow_callback(
        &mut self,
        limit: Duration,
        hook: impl Fn(Duration) + Send + Sync + 'static,
    ) -> &mut UvCtxBuilder {
        self.watch().on_slow(limit, hook);
        self
    }

    /// Limits the time of each callback of a plugin. A callback that computes for longer ends the
    /// plugin with [`DeadlineExceeded::Callback`](crate::DeadlineExceeded::Callback).
    ///
    /// The limit is enforced by the engine's epochs: see
    /// [`interrupt_by_epochs_sync`](crate::interrupt_by_epochs_sync).
    pub fn callback_deadline(&mut self, limit: Duration) -> &mut UvCtxBuilder {
        self.watch().limit_callbacks(limit);
        self
    }

    fn watch(&mut self) -> &mut Watch {
        self.watch.get_or_insert_default()
    }

    /// Lets the guest make the async handle of a sender that replaces the guest which has it open
    /// now. The handle moves to the first of the new guest's calls that makes it, with the messages
    /// that wait in its mailbox. If the new guest ends before the old one, the handle moves back.
    pub fn take_over_async_sender(&mut self, sender: &AsyncSender) -> &mut UvCtxBuilder {
        self.async_handles.grant_taking_over(sender);
        self
    }

    /// Lets the guest make the async handle of a sender that was made for another guest.
    ///
    /// The sender reaches whichever of the two guests has the handle open. Holders of a sender can
    /// therefore continue to use it after the guest is restarted. While the other guest has the
    /// handle open, an attempt to open it fails with EBUSY.
    pub fn reuse_async_sender(&mut self, sender: &AsyncSender) -> &mut UvCtxBuilder {
        self.async_handles.grant_sender(sender);
        self
    }

    /// Lets the guest send another guest's async handle, under a name for this guest. A later
    /// connection of the same name replaces an earlier one.
    ///
    /// ```
    /// # use uv_handles_host::UvCtx;
    /// let (mut worker, mut server) = (UvCtx::builder(), UvCtx::builder());
    /// server.async_connection("worker", &worker.async_sender("jobs"));
    /// ```
    pub fn async_connection(&mut self, name: impl Into<String>, sender: &AsyncSender) -> &mut UvCtxBuilder {
        self.connections.grant(name.into(), sender.clone());
        self
    }

    /// Gives the guest a virtual clock. It starts at 0 and advances only while a loop waits.
    ///
    /// A wait then polls descriptors, signals and async handles without blocking. If nothing is
    /// ready, the time jumps to the next timer. Without a timer, the wait blocks in real time.
    /// Virtual time is for tests and simulations, not for timing real peers.
    pub fn virtual_time(&mut self, virtual_time: bool) -> &mut UvCtxBuilder {
        self.virtual_clock = virtual_time.then(VirtualClock::new);
        self
    }

    /// Gives the guest this virtual clock, as [`virtual_time`](UvCtxBuilder::virtual_time). The
    /// embedder can read and advance it.
    pub fn virtual_clock(&mut self, clock: &VirtualClock) -> &mut UvCtxBuilder {
        self.virtual_clock = Some(clock.clone());
        self
    }

    /// Marks the context as a plugin's from its first instruction on. The host runs its loops, and
    /// a call that would block it is refused. [`Plugin::instantiate`](crate::Plugin::instantiate)
    /// and [`PluginSet::instantiate`](crate::PluginSet::instantiate) do this themselves.
    pub fn plugin(&mut self) -> &mut UvCtxBuilder {
        self.is_plugin = true;
        self
    }

    /// Returns a handle that interrupts the guest from any thread, also before the guest exists.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.interrupt.clone()
    }

    /// Sets a function that is called whenever the guest requests something that was not granted,
    /// for a log or a hint to the user. It runs on the guest's thread, once per request.
    pub fn on_denied(&mut self, listener: impl Fn(Denied<'_>) + Send + 'static) -> &mut UvCtxBuilder {
        self.on_denied = OnDenied::new(listener);
        self
    }

    /// Builds the context and resets the builder.
    pub fn build(&mut self) -> UvCtx {
        let UvCtxBuilder {
            limits,
            mut descriptors,
            outputs,
            signals,
            mut async_handles,
            connections,
            virtual_clock,
            on_denied,
            interrupt,
            is_plugin,
            watch,
        } = std::mem::take(self);
        descriptors.limit = limits.descriptors;
        async_handles.capacity = limits.mailbox();
        UvCtx {
            loops: Loops::new(uv_handles_core::Limits { handles: limits.handles, loops: limits.loops }),
            pollers: Pollers::new(interrupt.shared().clone()),
            interrupt: interrupt.clone(),
            descriptors,
            signals: SignalWatch { granted: signals, caught: 0, position: Position::default() },
            async_handles,
            connections,
            #[cfg(feature = "wasi")]
            pollables: Default::default(),
            clock: Clock::new(virtual_clock),
            run_keys: RunKeys::default(),
            turn: Turn::default(),
            on_denied,
            read_buffer: Vec::new(),
            limits,
            is_plugin,
            epochs: EpochDeadline::default(),
            watch,
            outputs: Outputs { all: outputs, interrupt: interrupt.shared().clone() },
        }
    }
}

impl UvCtx {
    /// Creates a builder.
    pub fn builder() -> UvCtxBuilder {
        UvCtxBuilder::new()
    }

    /// Closes everything that the guest has open, and revokes all grants.
    ///
    /// The ids of its loops and handles stay valid. The guest still has their resources, and the
    /// embedder may call it again, or another instance in the same store.
    pub(crate) fn release_all(&mut self) {
        let mut nothing = UvCtx::builder();
        nothing.interrupt = self.interrupt.clone();
        if self.is_plugin {
            nothing.plugin();
        }
        let mut nothing = nothing.build();
        std::mem::swap(&mut nothing.loops, &mut self.loops);
        std::mem::swap(&mut nothing.watch, &mut self.watch);
        nothing.loops.shut_down();
        #[cfg(feature = "wasi")]
        {
            self.drop_all_pollables();
            std::mem::swap(&mut nothing.pollables, &mut self.pollables);
        }
        *self = nothing;
    }
}

impl Default for UvCtxBuilder {
    fn default() -> UvCtxBuilder {
        UvCtxBuilder::new()
    }
}
