//! The builder of a context: everything that an embedder can grant.

use crate::ctx::clock::{Clock, VirtualClock};
use crate::ctx::denied::{Denied, OnDenied};
use crate::ctx::epoch_deadline::EpochDeadline;
use crate::ctx::interrupt::InterruptHandle;
use crate::ctx::limits::Limits;
use crate::ctx::run_keys::RunKeys;
use crate::ctx::{SignalWatch, UvCtx};
use crate::grants::async_sender::{AsyncSender, WakeUps};
use crate::grants::connections::Connections;
use crate::os::descriptors::Descriptors;
use crate::os::pollers::Pollers;
use crate::os::stdin::Input;
use crate::os::stdout::{Output, Outputs};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use uv_handles_core::Loops;

/// Sets up a [`UvCtx`]. Nothing is granted to begin with.
///
/// ```
/// use std::net::TcpListener;
/// use uv_handles_host::UvCtx;
///
/// let mut builder = UvCtx::builder();
/// builder.descriptor("clients", TcpListener::bind("127.0.0.1:0")?)?;
/// builder.signal(15);
/// let reload = builder.wake_up("reload");
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
    wake_ups: WakeUps,
    connections: Connections,
    virtual_clock: Option<VirtualClock>,
    on_denied: OnDenied,
    pub(super) interrupt: InterruptHandle,
    is_plugin: bool,
}

impl UvCtxBuilder {
    /// Grants nothing, with the default limits, in real time.
    pub fn new() -> UvCtxBuilder {
        UvCtxBuilder {
            limits: Limits::default(),
            descriptors: Descriptors::default(),
            outputs: Vec::new(),
            signals: 0,
            wake_ups: WakeUps::new(Limits::default().mailbox()),
            connections: Connections::default(),
            virtual_clock: None,
            on_denied: OnDenied::default(),
            interrupt: InterruptHandle::default(),
            is_plugin: false,
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

    /// Grants a descriptor under a name: a listening or connected socket, a pipe, a terminal -
    /// anything that can be polled. A later grant of the same name replaces an earlier one.
    ///
    /// The guest gets a duplicate, one at a time, and may open it again after it has closed it; the
    /// grant itself stays open as long as the context. The open file description is switched to
    /// non-blocking mode, and back when the context is dropped. For a standard input that others use
    /// too, there is [`stdin`](UvCtxBuilder::stdin).
    ///
    /// # Errors
    ///
    /// What the OS says when the mode can not be switched.
    pub fn descriptor(
        &mut self,
        name: impl Into<String>,
        fd: impl Into<OwnedFd>,
    ) -> io::Result<&mut UvCtxBuilder> {
        self.descriptors.grant(name.into(), fd.into())?;
        Ok(self)
    }

    /// Grants an input under a name, for reading alone: the process's own standard input, or another
    /// pipe, socket, terminal or file, /dev/null included.
    ///
    /// The host reads when the guest reads, and no more than the guest asks for. What the guest does
    /// not read stays where it is, for others that share the input. The mode of the open file
    /// description stays as it is. A file is always readable, its end included.
    ///
    /// Few inputs can be neither opened again nor read without blocking, a terminal of another user
    /// for instance. If another process takes the bytes that such an input was ready with, a thread
    /// waits for the next ones. It may outlive the context.
    ///
    /// ```no_run
    /// # use uv_handles_host::UvCtx;
    /// UvCtx::builder().stdin("stdin", std::io::stdin())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The OS's error when there is no input to begin with, or no descriptor to be had.
    pub fn stdin(&mut self, name: impl Into<String>, input: impl AsFd) -> io::Result<&mut UvCtxBuilder> {
        let input = Input::new(input.as_fd().try_clone_to_owned()?);
        self.descriptors.grant_input(name.into(), input);
        Ok(self)
    }

    /// Grants an output under a name, for writing alone: the process's own standard output, or another
    /// pipe, socket, terminal or file.
    ///
    /// The host writes to it when the guest writes, so the order of the calls is kept, also among
    /// writers that share the output. The mode of the open file description stays as it is. A write
    /// without a reader is the error EPIPE and raises no signal. A file is always writable.
    ///
    /// Few outputs can be neither opened again nor written without blocking, a terminal of another
    /// user for instance. A thread finishes a write to such an output that has begun to block.
    /// Dropping the context waits for it, unless the guest was
    /// [interrupted](UvCtx::interrupt_handle).
    ///
    /// ```no_run
    /// # use uv_handles_host::UvCtx;
    /// UvCtx::builder().stdout("stdout", std::io::stdout())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The OS's error when there is no output to begin with, or no descriptor to be had.
    pub fn stdout(&mut self, name: impl Into<String>, output: impl AsFd) -> io::Result<&mut UvCtxBuilder> {
        let output = Arc::new(Output::new(output.as_fd().try_clone_to_owned()?));
        self.outputs.push(output.clone());
        self.descriptors.grant_output(name.into(), output);
        Ok(self)
    }

    /// Lets the guest watch a signal, by Linux's number. Numbers that no guest can watch (0, SIGKILL,
    /// SIGSEGV, ...) are ignored here and refused there.
    pub fn signal(&mut self, signum: i32) -> &mut UvCtxBuilder {
        if (1..=64).contains(&signum) {
            self.signals |= 1 << (signum - 1);
        }
        self
    }

    /// Lets the guest make an async handle of this name, and answers with what sends it.
    pub fn wake_up(&mut self, name: impl Into<String>) -> AsyncSender {
        self.wake_ups.grant(name.into())
    }

    /// Lets the guest make an async handle of the name that this sender has, although the sender was made for
    /// another guest: the sender then reaches whichever of the two has the handle open. For a guest that is
    /// started again, so that everybody who holds its senders can go on. While the guest before it has the
    /// handle open, this one's attempt is refused with EBUSY.
    pub fn wake_up_again(&mut self, sender: &AsyncSender) -> &mut UvCtxBuilder {
        self.wake_ups.grant_again(sender);
        self
    }

    /// Lets the guest wake another one, under a name that is between you and this guest. A later connection of
    /// the same name replaces an earlier one.
    ///
    /// ```
    /// # use uv_handles_host::UvCtx;
    /// let (mut worker, mut server) = (UvCtx::builder(), UvCtx::builder());
    /// server.connect("worker", &worker.wake_up("jobs"));
    /// ```
    pub fn connect(&mut self, name: impl Into<String>, sender: &AsyncSender) -> &mut UvCtxBuilder {
        self.connections.grant(name.into(), sender.clone());
        self
    }

    /// Gives the guest a virtual clock, which begins at 0 and stands still except while a loop waits.
    /// A wait then looks at descriptors, signals and wake-ups without blocking; if nothing is ready,
    /// the time jumps to the next timer; only if there is none, it blocks for real. For tests and
    /// simulations, not for timing real peers.
    pub fn virtual_time(&mut self, virtual_time: bool) -> &mut UvCtxBuilder {
        self.virtual_clock = virtual_time.then(VirtualClock::new);
        self
    }

    /// Gives the guest this virtual clock, as [`virtual_time`](UvCtxBuilder::virtual_time) gives it one of
    /// its own. The embedder can read it, and let time pass.
    pub fn virtual_clock(&mut self, clock: &VirtualClock) -> &mut UvCtxBuilder {
        self.virtual_clock = Some(clock.clone());
        self
    }

    /// Builds the context of a plugin, from its first instruction on: the host runs its loops, and a
    /// call that would block it is refused. [`Plugin::instantiate`](crate::Plugin::instantiate) and
    /// [`PluginSet::instantiate`](crate::PluginSet::instantiate) see to it by themselves.
    pub fn plugin(&mut self) -> &mut UvCtxBuilder {
        self.is_plugin = true;
        self
    }

    /// The handle that ends the guest from any thread, also before the guest exists.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.interrupt.clone()
    }

    /// Calls this whenever the guest asks for something that was not granted, for a log or a hint to the
    /// user. It is called on the guest's thread, as often as the guest asks.
    pub fn on_denied(&mut self, listener: impl Fn(Denied<'_>) + Send + 'static) -> &mut UvCtxBuilder {
        self.on_denied = OnDenied::new(listener);
        self
    }

    /// Makes the context and leaves the builder as if it were new.
    pub fn build(&mut self) -> UvCtx {
        let UvCtxBuilder {
            limits,
            mut descriptors,
            outputs,
            signals,
            mut wake_ups,
            connections,
            virtual_clock,
            on_denied,
            interrupt,
            is_plugin,
        } = std::mem::take(self);
        descriptors.limit = limits.descriptors;
        wake_ups.capacity = limits.mailbox();
        UvCtx {
            loops: Loops::new(uv_handles_core::Limits { handles: limits.handles, loops: limits.loops }),
            pollers: Pollers::new(interrupt.shared().clone()),
            interrupt: interrupt.clone(),
            descriptors,
            signals: SignalWatch { granted: signals, caught: 0, position: 0 },
            wake_ups,
            connections,
            clock: Clock::new(virtual_clock),
            run_keys: RunKeys::default(),
            on_denied,
            read_buffer: Vec::new(),
            limits,
            is_plugin,
            epochs: EpochDeadline::default(),
            outputs: Outputs { all: outputs, interrupt: interrupt.shared().clone() },
        }
    }
}

impl Default for UvCtxBuilder {
    fn default() -> UvCtxBuilder {
        UvCtxBuilder::new()
    }
}
