//! The host's state of one guest.

pub(crate) mod builder;
pub(crate) mod clock;
pub(crate) mod denied;
pub(crate) mod epoch_deadline;
pub(crate) mod interrupt;
pub(crate) mod limits;
#[cfg(feature = "wasi")]
pub(crate) mod pollables;
#[cfg_attr(not(feature = "wasi"), path = "no_polling.rs")]
pub(crate) mod polling;
pub(crate) mod run_keys;
pub(crate) mod turn;
pub(crate) mod watch;

use crate::ctx::clock::Clock;
use crate::ctx::denied::OnDenied;
use crate::ctx::epoch_deadline::EpochDeadline;
use crate::ctx::interrupt::InterruptHandle;
use crate::ctx::limits::Limits;
#[cfg(feature = "wasi")]
use crate::ctx::pollables::Pollables;
use crate::ctx::run_keys::RunKeys;
use crate::ctx::turn::Turn;
use crate::ctx::watch::Watch;
use crate::grants::async_sender::AsyncHandles;
use crate::grants::connections::Connections;
use crate::os::descriptors::Descriptors;
use crate::os::outputs::Outputs;
use crate::os::pollers::Pollers;
use crate::os::signal_log::Position;
use crate::os::{deliveries, signals};
use std::io;
use uv_handles_core::{HandleId, LoopId, Loops};

/// The loops, handles and grants of one guest. Dropping it releases everything.
// Here and in the fields, the order is such that what an iteration reads is adjacent: of an idle
// plugin, each cache line has to be fetched.
#[derive(Debug)]
#[repr(C)]
pub struct UvCtx {
    pub(crate) loops: Loops,
    pub(crate) interrupt: InterruptHandle,
    pub(crate) watch: Option<Box<Watch>>,
    pub(crate) clock: Clock,
    pub(crate) epochs: EpochDeadline,
    /// The host runs the loops; the guest itself cannot.
    pub(crate) is_plugin: bool,
    pub(crate) turn: Turn,
    pub(crate) pollers: Pollers,
    /// The pollables that poll handles watch.
    #[cfg(feature = "wasi")]
    pub(crate) pollables: Pollables,
    pub(crate) async_handles: AsyncHandles,
    pub(crate) signals: SignalWatch,
    pub(crate) descriptors: Descriptors,
    pub(crate) connections: Connections,
    pub(crate) run_keys: RunKeys,
    pub(crate) on_denied: OnDenied,
    /// The buffer of all reads, reused so that it need not be cleared for each.
    pub(crate) read_buffer: Vec<u8>,
    pub(crate) limits: Limits,
    outputs: Outputs,
}

/// The signals of a guest.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct SignalWatch {
    /// The signals caught on the guest's behalf.
    pub(super) caught: u64,
    /// The granted signals: bit 0 for signal 1 and so on.
    pub granted: u64,
    /// The guest's position in the log of deliveries.
    pub(super) position: Position,
}

impl UvCtx {
    /// Returns a handle that interrupts this guest from any thread, also while it is blocked in the
    /// host.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.interrupt.clone()
    }

    /// Waits until the guest's writes to outputs from
    /// [`UvCtxBuilder::stdout`](crate::UvCtxBuilder::stdout) are complete, unless the guest is
    /// interrupted. Call it before writing to the same output on the guest's behalf, to keep the
    /// order. It rarely waits.
    pub fn finish_outputs(&self) {
        self.outputs.finish();
    }

    /// Passes async sends and signals from outside to the loops. Call it before anything that
    /// depends on them: a step, a wait, a change of the watched signals.
    #[inline]
    pub(crate) fn collect(&mut self) {
        if self.async_handles.sent() {
            let loops = &mut self.loops;
            self.async_handles.take(|handle| {
                // A handle closed since then refuses, which has no effect here.
                let _ = loops.async_send(handle);
            });
        }
        if self.signals.caught != 0 && deliveries::has_more(&self.signals.position) {
            self.collect_signals();
        }
    }

    #[cold]
    fn collect_signals(&mut self) {
        let deliveries = deliveries::read(&mut self.signals.position, bits(self.signals.caught));
        if !deliveries.is_empty() {
            self.loops.signals_delivered_to_all(&deliveries);
        }
    }

    /// Catches exactly the signals that the guest's handles watch. Call it after anything that may
    /// have changed them.
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
            deliveries::skip(&mut self.signals.position);
        }
        for signum in bits(caught & !wanted) {
            signals::unwatch(signum);
            self.signals.caught &= !(1 << (signum - 1));
        }
        for signum in bits(wanted & !caught) {
            // A signal that is pending because it was blocked is delivered as soon as it is watched.
            deliveries::begin(&mut self.signals.position, signum);
            signals::watch(signum)?;
            self.signals.caught |= 1 << (signum - 1);
        }
        Ok(())
    }

    /// Lets the waits for this loop look again. Call it when a call of the guest has changed what
    /// the loop waits for: another task of the instance may wait for it.
    #[inline(always)]
    pub(crate) fn recheck(&self, id: LoopId) {
        #[cfg(feature = "concurrent")]
        if self.pollers.has_waits {
            self.pollers.recheck(id);
        }
        #[cfg(not(feature = "concurrent"))]
        let _ = id;
    }

    /// Returns whether a task of the instance has ever waited for a loop.
    #[inline(always)]
    pub(crate) fn has_waits(&self) -> bool {
        #[cfg(feature = "concurrent")]
        return self.pollers.has_waits;
        #[cfg(not(feature = "concurrent"))]
        false
    }

    /// Lets the waits for the loop of a handle look again: see `recheck`.
    #[inline(always)]
    pub(crate) fn recheck_loop_of(&self, handle: HandleId) {
        #[cfg(feature = "concurrent")]
        if self.pollers.has_waits {
            self.pollers.recheck(self.loops.loop_of(handle));
        }
        #[cfg(not(feature = "concurrent"))]
        let _ = handle;
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

    /// Closes a handle. It has no effect on a closing one: a command buffer can contain many closes
    /// of the same handle.
    pub(crate) fn close_handle(&mut self, handle: HandleId) {
        if self.loops.handle_closing(handle) {
            return;
        }
        // Earlier deliveries go to the handles that watched at the time.
        self.collect();
        self.loops.close(handle);
        let owner = self.loops.loop_of(handle);
        self.recheck(owner);
        if let (Some(_), Some(poller)) = (self.loops.poll_source(handle), self.pollers.made(owner)) {
            poller.mark_stale(handle);
        }
        self.drop_pollable_of(handle);
        self.after_closing();
    }

    /// Releases the outside state of handles that are no longer open. Call it after handles were
    /// closed, and before the number of a released handle is reused.
    pub(crate) fn after_closing(&mut self) {
        let loops = &self.loops;
        self.async_handles.close(|handle| loops.check_open(handle).is_ok());
        if let Err(error) = self.catch_signals() {
            // This only stops catching signals, which the OS does not refuse.
            tracing::error!(%error, "cannot stop catching a signal");
        }
    }
}

impl Drop for UvCtx {
    fn drop(&mut self) {
        bits(self.signals.caught).for_each(signals::unwatch);
    }
}

/// Iterates over the signals of a set.
fn bits(set: u64) -> impl Iterator<Item = i32> + Clone {
    let mut rest = set;
    std::iter::from_fn(move || {
        let signum = (rest != 0).then(|| rest.trailing_zeros() as i32 + 1)?;
        rest &= rest - 1;
        Some(signum)
    })
}
