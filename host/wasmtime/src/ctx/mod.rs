//! The state of one guest on the host's side.

pub(crate) mod builder;
pub(crate) mod clock;
pub(crate) mod denied;
pub(crate) mod epoch_deadline;
pub(crate) mod interrupt;
pub(crate) mod limits;
pub(crate) mod run_keys;

use crate::ctx::builder::UvCtxBuilder;
use crate::ctx::clock::Clock;
use crate::ctx::denied::OnDenied;
use crate::ctx::epoch_deadline::EpochDeadline;
use crate::ctx::interrupt::InterruptHandle;
use crate::ctx::limits::Limits;
use crate::ctx::run_keys::RunKeys;
use crate::grants::async_sender::WakeUps;
use crate::grants::connections::Connections;
use crate::os::descriptors::Descriptors;
use crate::os::pollers::Pollers;
use crate::os::signals;
use crate::os::stdout::Outputs;
use std::io;
use uv_handles_core::{HandleId, LoopId, Loops};

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
    pub(crate) run_keys: RunKeys,
    pub(crate) on_denied: OnDenied,
    /// Used again by every read, so that none has to clear it.
    pub(crate) read_buffer: Vec<u8>,
    pub(crate) limits: Limits,
    /// The embedder drives the loops: the guest itself can not.
    pub(crate) is_plugin: bool,
    pub(crate) epochs: EpochDeadline,
    outputs: Outputs,
}

/// A guest's signals.
#[derive(Debug)]
pub(crate) struct SignalWatch {
    /// What the embedder granted: bit 0 for signal 1 and so on.
    pub granted: u64,
    /// What is caught on the guest's behalf.
    pub(super) caught: u64,
    /// How far the guest has read the log of deliveries.
    pub(super) position: u64,
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

    /// Waits until everything is out that the guest has written to the outputs that
    /// [`UvCtxBuilder::stdout`] has granted, unless the guest is interrupted. Call it before you write to
    /// the same place on the guest's behalf, to keep the order. It rarely has to wait.
    pub fn finish_outputs(&self) {
        self.outputs.finish();
    }

    /// Closes everything that the guest has open, and takes back what was granted.
    pub(crate) fn release_all(&mut self) {
        let mut nothing = UvCtx::builder();
        nothing.interrupt = self.interrupt.clone();
        if self.is_plugin {
            nothing.plugin();
        }
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

    /// Releases the handle of a resource that the guest drops.
    pub(crate) fn release(&mut self, handle: HandleId) {
        self.close_handle(handle);
        let owner = self.loops.loop_of(handle);
        if let Some(poller) = self.pollers.made(owner) {
            poller.forget(handle);
        }
        self.loops.release(handle);
    }

    /// Closes a handle. Does nothing to a closing one: a guest may close as often as a list of changes
    /// is long.
    pub(crate) fn close_handle(&mut self, handle: HandleId) {
        if self.loops.handle_closing(handle) {
            return;
        }
        // What was delivered before counts by what was watched before.
        self.collect();
        self.loops.close(handle);
        let owner = self.loops.loop_of(handle);
        if let (Some(_), Some(poller)) = (self.loops.poll_source(handle), self.pollers.made(owner)) {
            poller.touch(handle);
        }
        self.after_closing();
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
