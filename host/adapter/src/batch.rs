//! `uv:handles/batch`.

use crate::bindings::exports::uv::handles::batch::{
    BatchStep, Change, Guest, GuestTimerPool, Operation, TimerPool, TimerPoolBorrow,
};
use crate::bindings::exports::uv::handles::event_loop::{LoopBorrow, RunBorrow};
use crate::bindings::exports::uv::handles::timer::Timer;
use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};
use crate::driver::WasiDriver;
use crate::{Adapter, event_loop, run_keys, with};
use uv_handles_core::{Delivery, Driver, Loops, NO_TOKEN_PAIR, PoolId, TimerChange};

/// The representation of a timer pool's resource. It is dropped with the resource.
pub struct Owned(PoolId);

impl Drop for Owned {
    fn drop(&mut self) {
        with(|loops| loops.release_pool(self.0));
    }
}

fn pool_id(pool: &TimerPoolBorrow<'_>) -> PoolId {
    pool.get::<Owned>().0
}

/// Advances a run, flushes a command buffer, and goes on with the run.
pub(crate) fn deliver(
    loops: &mut Loops,
    key: u64,
    max: u32,
    position: Option<u32>,
    pool: Option<&TimerPoolBorrow<'_>>,
    changes: Vec<Change>,
) -> Result<Delivery, Error> {
    let run = loops.run_of_key(key);
    let mut driver = WasiDriver(loops);
    if position.is_some() || !changes.is_empty() {
        let position = position.map_or(usize::MAX, |position| position as usize);
        let changes = changes.into_iter().map(Into::into);
        driver.advance(run, position, pool.map(pool_id), changes);
    }
    let run = run.filter(|_| max > 0).ok_or(uv_handles_core::Error::Invalid)?;
    Ok(driver.next(run, max)?)
}

impl From<Delivery> for BatchStep {
    fn from(delivery: Delivery) -> Self {
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

impl Guest for Adapter {
    type TimerPool = Owned;

    fn key(run: RunBorrow<'_>) -> u64 {
        let run = event_loop::run_id(&run);
        // A run that has finished has no key. The guest gets one that names no run.
        with(|loops| loops.key_of_run(run, run_keys::next)).unwrap_or_else(|_| run_keys::next())
    }

    fn next(
        key: u64,
        max: u32,
        position: Option<u32>,
        pool: Option<TimerPoolBorrow<'_>>,
        changes: Vec<Change>,
    ) -> Result<BatchStep, Error> {
        Ok(with(|loops| deliver(loops, key, max, position, pool.as_ref(), changes))?.into())
    }

    fn next_callbacks(key: u64) -> u64 {
        let pair = with(|loops| {
            let run = loops.run_of_key(key)?;
            // An error comes again with the next call that can bring it.
            WasiDriver(loops).next_pair(run).ok().flatten()
        });
        pair.unwrap_or(NO_TOKEN_PAIR)
    }

    fn advance(key: u64, position: u32, pool: Option<TimerPoolBorrow<'_>>, changes: Vec<Change>) {
        with(|loops| {
            let run = loops.run_of_key(key);
            let changes = changes.into_iter().map(Into::into);
            WasiDriver(loops).advance(run, position as usize, pool.as_ref().map(pool_id), changes);
        });
    }
}

impl GuestTimerPool for Owned {
    fn create() -> Result<TimerPool, Error> {
        Ok(TimerPool::new(Owned(with(|loops| loops.make_pool())?)))
    }

    fn allocate(&self, owner: LoopBorrow<'_>, count: u32) -> Result<Vec<(Timer, u32)>, Error> {
        if count == 0 {
            return Err(ErrorCode::Einval.into());
        }
        let timers = with(|loops| loops.allocate_timers(self.0, event_loop::id(&owner), count as usize))?;
        Ok(timers.into_iter().map(|timer| (Timer::new(crate::Owned(timer)), timer.index())).collect())
    }

    fn flush(&self, changes: Vec<Change>) {
        let changes = changes.into_iter().map(Into::into);
        with(|loops| WasiDriver(loops).advance(None, 0, Some(self.0), changes));
    }
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
