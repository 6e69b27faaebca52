//! `uv:handles/batch`.

use super::{handle_resource, loop_id, run_id};
use crate::bindings::batch::{BatchStep, Change, Host, HostTimerPool, Operation, TimerPool};
use crate::bindings::event_loop::{Loop, Run};
use crate::bindings::timer::Timer;
use crate::bindings::types::{Error, ErrorCode};
use crate::driver::{OsDriver, RunError};
use crate::view::UvCtxView;
use uv_handles_core::{Delivery, Driver, LoopId, NO_TOKEN_PAIR, PoolId, RunId, TimerChange};
use wasmtime::component::Resource;

impl UvCtxView<'_> {
    /// Advances a run to this position of its batch, and flushes a command buffer.
    fn pass(
        &mut self,
        run: Option<RunId>,
        position: usize,
        pool: Option<Resource<TimerPool>>,
        changes: Vec<Change>,
    ) {
        let changed = self.loops_waited_for(&changes);
        let changes = changes.into_iter().map(Into::into);
        OsDriver(self.ctx).advance(run, position, pool.and_then(pool_id), changes);
        changed.into_iter().for_each(|id| self.ctx.recheck(id));
    }

    /// Advances a run, flushes a command buffer, and goes on with the run.
    #[inline]
    pub(super) fn deliver(
        &mut self,
        run: Option<RunId>,
        max: u32,
        position: Option<u32>,
        pool: Option<Resource<TimerPool>>,
        changes: Vec<Change>,
    ) -> Result<Delivery, RunError> {
        if position.is_some() || !changes.is_empty() {
            let position = position.map_or(usize::MAX, |position| position as usize);
            self.pass(run, position, pool, changes);
        }
        match run.filter(|_| max > 0) {
            Some(run) => OsDriver(self.ctx).next(run, max),
            None => Err(RunError::Core(uv_handles_core::Error::Invalid)),
        }
    }

    /// Converts the result of a call that returns tokens in a number. An interrupt becomes a trap.
    #[inline]
    pub(super) fn answer_in_brief(
        &mut self,
        brought: Result<Option<u64>, RunError>,
    ) -> wasmtime::Result<Option<u64>> {
        match brought {
            Ok(brought) => Ok(brought),
            Err(RunError::Interrupted) => Err(self.interrupted()),
            // The next call that can report the error does so.
            Err(RunError::Core(_) | RunError::Os(_)) => Ok(None),
        }
    }

    /// Returns the loops of the timers that a command buffer names, if a task may wait for them.
    fn loops_waited_for(&self, changes: &[Change]) -> Vec<LoopId> {
        if !self.ctx.has_waits() {
            return Vec::new();
        }
        let numbers = changes.iter().filter_map(|change| change.operation.timer());
        let mut loops: Vec<LoopId> =
            numbers.filter_map(|number| self.ctx.loops.loop_of_number(number)).collect();
        loops.sort_unstable_by_key(|id| id.index());
        loops.dedup();
        loops
    }
}

impl From<Delivery> for BatchStep {
    fn from(delivery: Delivery) -> BatchStep {
        match delivery {
            Delivery::Event(event) => BatchStep::Event(event.into()),
            Delivery::Callbacks(tokens) => BatchStep::Callbacks(tokens),
            Delivery::Polls(ready) => {
                BatchStep::Polls(ready.into_iter().map(|(token, events)| (token, events.into())).collect())
            }
            Delivery::Closes(tokens) => BatchStep::Closes(tokens),
            Delivery::Wait => BatchStep::Wait,
            Delivery::Finished { alive } => BatchStep::Finished(alive),
        }
    }
}

impl Operation {
    /// Returns the number of the timer that the operation names.
    fn timer(&self) -> Option<u32> {
        match self {
            Operation::Open(open) => Some(open.timer),
            Operation::OpenAndStart(start) => Some(start.timer),
            Operation::Start(start) => Some(start.timer),
            Operation::Stop(timer) | Operation::Close(timer) => Some(*timer),
            Operation::CloseOwn => None,
        }
    }
}

impl Host for UvCtxView<'_> {
    fn key(&mut self, run: Resource<Run>) -> u64 {
        let keys = &mut self.ctx.run_keys;
        // A finished run has no key. Return a new one, which matches no run.
        self.ctx.loops.key_of_run(run_id(&run), || keys.next()).unwrap_or_else(|_| keys.next())
    }

    fn next(
        &mut self,
        key: u64,
        max: u32,
        position: Option<u32>,
        pool: Option<Resource<TimerPool>>,
        changes: Vec<Change>,
    ) -> wasmtime::Result<Result<BatchStep, Error>> {
        let run = self.ctx.loops.run_of_key(key);
        let delivery = self.deliver(run, max, position, pool, changes);
        self.answer(delivery, Into::into)
    }

    fn next_callbacks(&mut self, key: u64) -> wasmtime::Result<u64> {
        let Some(run) = self.ctx.loops.run_of_key(key) else {
            return Ok(NO_TOKEN_PAIR);
        };
        let pair = OsDriver(self.ctx).next_pair(run);
        Ok(self.answer_in_brief(pair)?.unwrap_or(NO_TOKEN_PAIR))
    }

    fn advance(&mut self, key: u64, position: u32, pool: Option<Resource<TimerPool>>, changes: Vec<Change>) {
        let run = self.ctx.loops.run_of_key(key);
        self.pass(run, position as usize, pool, changes);
    }
}

impl HostTimerPool for UvCtxView<'_> {
    fn create(&mut self) -> Result<Resource<TimerPool>, Error> {
        Ok(Resource::new_own(self.ctx.loops.make_pool()?.index()))
    }

    fn allocate(
        &mut self,
        pool: Resource<TimerPool>,
        owner: Resource<Loop>,
        count: u32,
    ) -> Result<Vec<(Resource<Timer>, u32)>, Error> {
        if self.ctx.is_plugin {
            return Err(ErrorCode::Enotsup.into());
        }
        if count == 0 {
            return Err(ErrorCode::Einval.into());
        }
        let pool = pool_id(pool).ok_or(ErrorCode::Einval)?;
        let timers = self.ctx.loops.allocate_timers(pool, loop_id(&owner), count as usize)?;
        Ok(timers.into_iter().map(|timer| (handle_resource(timer), timer.index())).collect())
    }

    fn flush(&mut self, pool: Resource<TimerPool>, changes: Vec<Change>) {
        self.pass(None, 0, Some(pool), changes);
    }

    fn drop(&mut self, pool: Resource<TimerPool>) -> wasmtime::Result<()> {
        if let Some(pool) = pool_id(pool) {
            self.ctx.loops.release_pool(pool);
        }
        Ok(())
    }
}

/// Returns the pool of a resource. There always is one, because the host has made the resource.
fn pool_id(pool: Resource<TimerPool>) -> Option<PoolId> {
    PoolId::from_index(pool.rep())
}

impl From<Change> for uv_handles_core::Change {
    fn from(Change { position, operation }: Change) -> Self {
        use uv_handles_core::Operation::{CloseOwn, Timer};
        let operation = match operation {
            Operation::Open(open) => Timer(open.timer, TimerChange::Open { token: open.token }),
            Operation::OpenAndStart(start) => Timer(
                start.timer,
                TimerChange::OpenAndStart {
                    token: start.token,
                    timeout: start.timeout,
                    repeat: start.repeat,
                },
            ),
            Operation::Start(start) => {
                Timer(start.timer, TimerChange::Start { timeout: start.timeout, repeat: start.repeat })
            }
            Operation::Stop(timer) => Timer(timer, TimerChange::Stop),
            Operation::Close(timer) => Timer(timer, TimerChange::Close),
            Operation::CloseOwn => CloseOwn,
        };
        Self { position, operation }
    }
}
