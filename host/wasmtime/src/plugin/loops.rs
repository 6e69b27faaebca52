//! Due events of a plugin's loops between its calls.
//!
//! A tokio task and the thread of a [set](crate::PluginSet) share this code.

use super::stats::Counters;
use crate::bindings::types;
use crate::ctx::UvCtx;
use crate::ctx::clock::Clock;
use crate::ctx::epoch_deadline::EpochDeadline;
use crate::ctx::interrupt::Interrupted;
use crate::driver::RunError;
use std::io;
use uv_handles_core::{LoopId, Progress, RunMode};

/// The result of a delivery of events to a plugin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dispatched {
    /// The number of callbacks called.
    pub callbacks: u64,
    /// The plugin has stopped one of its loops, which ends the iteration.
    pub stopped: bool,
    /// One of the plugin's loops is alive. Otherwise the plugin is parked until one of its exports
    /// is called.
    pub alive: bool,
}

/// The time at which a plugin's next event is due, if nothing comes from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Now,
    /// At this time of the plugin's clock, in milliseconds.
    At(u64),
    Never,
}

impl UvCtx {
    pub(crate) fn open_loops(&self) -> impl Iterator<Item = LoopId> {
        self.loops.all_loops().filter(|&id| !self.loops.loop_closed(id))
    }

    /// Prepares for a call of an export by the embedder. The plugin's loops may have been idle for
    /// long, so their time is refreshed, as an embedder of libuv does with uv_run(NOWAIT).
    pub(crate) fn lend(&mut self) {
        self.epochs = EpochDeadline::Lent;
        let now = self.clock.now();
        let open: Vec<LoopId> = self.open_loops().collect();
        for id in open {
            // Refused for a closed loop alone.
            let _ = self.loops.update_time(id, now);
        }
    }

    /// Returns the first open loop from this number on.
    fn open_loop(&self, from: u32) -> Option<LoopId> {
        self.open_loops().find(|id| id.index() >= from)
    }

    /// Returns whether one of the loops is alive.
    pub(crate) fn alive(&self) -> bool {
        self.open_loops().any(|id| self.loops.alive(id))
    }

    /// Returns an error if the guest has been interrupted, and releases everything that it has
    /// open.
    pub(crate) fn check_interrupt(&mut self) -> wasmtime::Result<()> {
        if !self.interrupt.is_interrupted() {
            return Ok(());
        }
        self.release_all();
        Err(Interrupted.into())
    }

    /// Returns when an iteration of one of the loops has something to do. In virtual time this is
    /// never later than now, because the time jumps.
    pub(crate) fn when_due(&mut self) -> io::Result<Due> {
        if self.interrupt.is_interrupted() {
            return Ok(Due::Now);
        }
        let (mut earliest, mut next) = (None, 0);
        while let Some(id) = self.open_loop(next) {
            next = id.index() + 1;
            match self.when_loop_due(id)? {
                Due::Now => return Ok(Due::Now),
                Due::At(at) => earliest = earliest.into_iter().chain([at]).min(),
                Due::Never => {}
            }
        }
        Ok(match (earliest, &self.clock) {
            (None, _) => Due::Never,
            (Some(at), Clock::Virtual(clock)) => {
                clock.advance(at.saturating_sub(clock.now()));
                Due::Now
            }
            (Some(at), Clock::Monotonic { .. }) => Due::At(at),
        })
    }

    fn when_loop_due(&mut self, id: LoopId) -> io::Result<Due> {
        if !self.loops.alive(id) {
            return Ok(Due::Never);
        }
        self.poll_ready_outside_run(id)?;
        if self.must_end_wait(id) {
            return Ok(Due::Now);
        }
        Ok(match (self.loops.poll_timeout(id), self.loops.now(id)) {
            (Ok(Some(0)), _) => Due::Now,
            // Not the timeout, which has a limit: virtual time would come there in many jumps.
            (Ok(Some(_)), _) if matches!(self.clock, Clock::Virtual(_)) => {
                self.loops.next_deadline(id).map_or(Due::Never, Due::At)
            }
            (Ok(Some(timeout)), Ok(now)) => Due::At(now.saturating_add(timeout.into())),
            _ => Due::Never,
        })
    }

    fn is_loop_due(&mut self, id: LoopId) -> io::Result<bool> {
        Ok(match self.when_loop_due(id)? {
            Due::Now => true,
            Due::At(at) => at <= self.clock.now(),
            Due::Never => false,
        })
    }

    /// Begins an iteration, as [`RunMode::NoWait`], of the first loop from this number on that has
    /// something to do.
    pub(crate) fn begin_iteration(&mut self, from: &mut u32) -> wasmtime::Result<Option<LoopId>> {
        while let Some(id) = self.open_loop(*from) {
            *from = id.index() + 1;
            if self.is_loop_due(id)? {
                self.loops.begin(id, RunMode::NoWait)?;
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Returns the next callback of an iteration, once the one before has returned. `None` if the
    /// iteration is over.
    pub(crate) fn next_callback(
        &mut self,
        id: LoopId,
        counters: &Counters,
        dispatched: &mut Dispatched,
    ) -> wasmtime::Result<Option<types::Event>> {
        if !self.loops.has_loop(id) {
            // A callback has released the loop.
            return Ok(None);
        }
        dispatched.stopped |= self.loops.stopping(id);
        let event = match self.proceed(id) {
            Ok(Progress::Deliver(event)) => event,
            // A callback may have closed the loop.
            Ok(_) | Err(RunError::Core(_)) => return Ok(None),
            Err(RunError::Os(error)) => return Err(error.into()),
            Err(RunError::Interrupted) => return self.check_interrupt().map(|()| None),
        };
        counters.called();
        if let Some(deadline) = self.loops.called_deadline(id) {
            counters.timer(self.clock.now().saturating_sub(deadline));
        }
        dispatched.callbacks += 1;
        Ok(Some(event.into()))
    }
}
