//! The state of one guest on the host's side, and how an embedder sets it up: what is granted, and
//! how much of everything the guest may have.

use crate::batch::Batch;
use crate::clock::{Clock, VirtualClock};
use crate::connections::Connections;
use crate::denied::{Denied, OnDenied};
use crate::driver::{PullError, Pulled};
use crate::engine::EpochDeadline;
use crate::mailbox::Capacity;
use crate::os::descriptors::Descriptors;
use crate::os::pollers::Pollers;
use crate::os::signals;
use crate::os::stdin::Stdin;
use crate::os::stdout::{Stdout, Stdouts};
use crate::wake_up::WakeUps;
use crate::{AsyncSender, InterruptHandle};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use uv_handles_core::{LoopId, Loops};

/// How much a guest may have at once. What goes over a limit is refused with an error value.
///
/// wasmtime has limits of its own behind these, and going over them is a trap: the handles that a
/// guest holds on all resources together are 100,000 unless the embedder calls
/// [`Store::set_max_component_handles`](wasmtime::Store::set_max_component_handles).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Handles on all loops together; 65,536 unless set. Beyond it ENOMEM.
    pub handles: u32,
    /// Loops; 64 unless set. Beyond it EMFILE. And as many reserves of timers, beyond it ENOMEM.
    pub loops: u32,
    /// Open descriptors; 1,024 unless set. Beyond it EMFILE.
    pub descriptors: u32,
    /// Bytes that one read brings at most; 65,536 unless set.
    pub read_bytes: u32,
    /// Messages that wait for one named async handle; 1,024 unless set. Beyond it the sender gets
    /// [`SendError::Full`](crate::SendError::Full).
    pub mailbox_messages: u32,
    /// Bytes of the messages that wait for one named async handle; 1 MiB unless set.
    pub mailbox_bytes: u32,
}

impl Limits {
    fn mailbox(&self) -> Capacity {
        Capacity { messages: self.mailbox_messages as usize, bytes: self.mailbox_bytes as usize }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        let uv_handles_core::Limits { handles, loops } = uv_handles_core::Limits::default();
        Limits {
            handles,
            loops,
            descriptors: 1_024,
            read_bytes: 65_536,
            mailbox_messages: 1_024,
            mailbox_bytes: 1 << 20,
        }
    }
}

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
    stdins: Vec<Stdin>,
    stdouts: Vec<Stdout>,
    signals: u64,
    wake_ups: WakeUps,
    connections: Connections,
    virtual_clock: Option<VirtualClock>,
    on_denied: OnDenied,
    interrupt: InterruptHandle,
}

impl UvCtxBuilder {
    /// Grants nothing, with the default limits, in real time.
    pub fn new() -> UvCtxBuilder {
        UvCtxBuilder {
            limits: Limits::default(),
            descriptors: Descriptors::default(),
            stdins: Vec::new(),
            stdouts: Vec::new(),
            signals: 0,
            wake_ups: WakeUps::new(Limits::default().mailbox()),
            connections: Connections::default(),
            virtual_clock: None,
            on_denied: OnDenied::default(),
            interrupt: InterruptHandle::new(),
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

    /// Grants an input under a name: the process's own standard input, or whatever else may be a
    /// pipe, a file, /dev/null or a terminal. Its mode is left alone, whoever shares it. The guest
    /// gets a pipe of its own; a thread, where one is needed, fills it until the context is dropped.
    /// What it has read ahead by then is lost.
    ///
    /// ```no_run
    /// # use uv_handles_host::UvCtx;
    /// UvCtx::builder().stdin("stdin", std::io::stdin())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What the OS says when there is no input to begin with, or no descriptor or thread to be had.
    pub fn stdin(&mut self, name: impl Into<String>, input: impl AsFd) -> io::Result<&mut UvCtxBuilder> {
        let (fd, stdin) = Stdin::new(input.as_fd().try_clone_to_owned()?)?;
        let name = name.into();
        tracing::debug!(name, thread = stdin.is_pumped(), "an input is granted");
        self.stdins.push(stdin);
        self.descriptor(name, fd)
    }

    /// Grants an output under a name: the process's own standard output, or whatever else may be a
    /// pipe, a file or a terminal. Its mode is left alone, whoever shares it. The guest gets a pipe of its
    /// own, which a thread, where one is needed, empties. Dropping the context waits until everything
    /// that the guest has written is out, unless the guest was
    /// [interrupted](UvCtx::interrupt_handle) and nobody takes it.
    ///
    /// ```no_run
    /// # use uv_handles_host::UvCtx;
    /// UvCtx::builder().stdout("stdout", std::io::stdout())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What the OS says when there is no output to begin with, or no descriptor or thread to be had.
    pub fn stdout(&mut self, name: impl Into<String>, output: impl AsFd) -> io::Result<&mut UvCtxBuilder> {
        let (fd, stdout) = Stdout::new(output.as_fd().try_clone_to_owned()?)?;
        let name = name.into();
        tracing::debug!(name, thread = stdout.is_pumped(), "an output is granted");
        self.stdouts.push(stdout);
        self.descriptor(name, fd)
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

    /// What ends the guest from any thread, also before it exists.
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
            stdins,
            stdouts,
            signals,
            mut wake_ups,
            connections,
            virtual_clock,
            on_denied,
            interrupt,
        } = std::mem::take(self);
        descriptors.limit = limits.descriptors;
        wake_ups.capacity = limits.mailbox();
        UvCtx {
            loops: Loops::new(uv_handles_core::Limits { handles: limits.handles, loops: limits.loops }),
            pollers: Pollers::new(interrupt.clone()),
            interrupt: interrupt.clone(),
            descriptors,
            signals: SignalWatch { granted: signals, caught: 0, position: 0 },
            wake_ups,
            connections,
            clock: Clock::new(virtual_clock),
            pulled_last: None,
            found: None,
            batch: Batch::new(),
            on_denied,
            read_buffer: Vec::new(),
            limits,
            is_plugin: false,
            epochs: EpochDeadline::default(),
            puts_off: false,
            _stdins: stdins,
            _stdouts: Stdouts { all: stdouts, interrupt },
        }
    }
}

impl Default for UvCtxBuilder {
    fn default() -> UvCtxBuilder {
        UvCtxBuilder::new()
    }
}

/// One guest's loops and handles, and what was granted to it. Dropping it releases everything.
#[derive(Debug)]
pub struct UvCtx {
    pub(crate) loops: Loops,
    pub(crate) pollers: Pollers,
    pub(crate) interrupt: InterruptHandle,
    pub(crate) descriptors: Descriptors,
    pub(crate) signals: SignalWatch,
    pub(crate) wake_ups: WakeUps,
    pub(crate) connections: Connections,
    pub(crate) clock: Clock,
    /// The loop that the guest has pulled last, as long as there is one.
    pub(crate) pulled_last: Option<LoopId>,
    /// What a pull has found of a loop and could not bring: the loop's next pull does.
    pub(crate) found: Option<(LoopId, Result<Pulled, PullError>)>,
    /// What the guest was handed and has not called yet, as far as is known.
    pub(crate) batch: Batch,
    pub(crate) on_denied: OnDenied,
    /// Used again by every read, so that none has to clear it.
    pub(crate) read_buffer: Vec<u8>,
    pub(crate) limits: Limits,
    /// The embedder drives the loops: the guest itself can not.
    pub(crate) is_plugin: bool,
    pub(crate) epochs: EpochDeadline,
    /// The guest may have left changes of timers to its next call.
    pub(crate) puts_off: bool,
    /// Dropped after the descriptors: the threads behind them end with the context.
    _stdins: Vec<Stdin>,
    _stdouts: Stdouts,
}

/// A guest's signals.
#[derive(Debug)]
pub(crate) struct SignalWatch {
    /// What the embedder granted: bit 0 for signal 1 and so on.
    pub granted: u64,
    /// What is caught on the guest's behalf.
    caught: u64,
    /// How far the guest has read the log of deliveries.
    position: u64,
}

impl UvCtx {
    /// Begins to set up a context.
    pub fn builder() -> UvCtxBuilder {
        UvCtxBuilder::new()
    }

    /// What ends this guest from any thread, also while it is blocked inside the host.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.interrupt.clone()
    }

    /// Closes everything that the guest has open, and takes back what was granted.
    pub(crate) fn release_all(&mut self) {
        let mut nothing = UvCtx::builder();
        nothing.interrupt = self.interrupt.clone();
        *self = nothing.build();
    }

    /// Hands what came from outside - wake-ups and signals - to the loops. To be called before
    /// anything that depends on it: a step, a wait, a change of what is watched.
    #[inline]
    pub(crate) fn collect(&mut self) {
        if self.wake_ups.sent() {
            let loops = &mut self.loops;
            self.wake_ups.take(|handle| {
                // Refused for a handle that has been closed in the meantime.
                let _ = loops.async_send(handle);
            });
        }
        if self.signals.caught != 0 && self.signals.position != signals::head() {
            let (loops, caught) = (&mut self.loops, self.signals.caught);
            let all: Vec<LoopId> = loops.all_loops().collect();
            signals::read(&mut self.signals.position, |signum| {
                if caught & (1 << (signum - 1)) != 0 {
                    all.iter().for_each(|&id| loops.signal_delivered(id, signum));
                }
            });
        }
    }

    /// Catches exactly the signals that handles of the guest watch. To be called after anything
    /// that may have changed that.
    #[inline]
    pub(crate) fn catch_signals(&mut self) -> io::Result<()> {
        let (caught, wanted) = (self.signals.caught, self.loops.watched_signals());
        match caught == wanted {
            true => Ok(()),
            false => self.catch_others(caught, wanted),
        }
    }

    #[cold]
    fn catch_others(&mut self, caught: u64, wanted: u64) -> io::Result<()> {
        if caught == 0 {
            self.signals.position = signals::head();
        }
        for signum in bits(caught & !wanted) {
            signals::unwatch(signum);
            self.signals.caught &= !(1 << (signum - 1));
        }
        for signum in bits(wanted & !caught) {
            signals::watch(signum)?;
            self.signals.caught |= 1 << (signum - 1);
        }
        Ok(())
    }

    /// Lets go of what handles that are not open any more had outside of the loop. To be called
    /// after handles were closed, and before a released one's number is given away.
    pub(crate) fn after_closing(&mut self) {
        let loops = &self.loops;
        self.wake_ups.close(|handle| loops.check_open(handle).is_ok());
        if let Err(error) = self.catch_signals() {
            // It only ceases to catch some, which the OS does not refuse.
            tracing::error!(%error, "a signal is still caught");
        }
    }
}

impl Drop for UvCtx {
    fn drop(&mut self) {
        bits(self.signals.caught).for_each(signals::unwatch);
    }
}

/// The signals of a set.
fn bits(set: u64) -> impl Iterator<Item = i32> {
    (1..=64).filter(move |signum| set & (1 << (signum - 1)) != 0)
}
