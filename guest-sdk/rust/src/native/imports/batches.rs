//! `batch`, `blocking-batch` and `concurrent`.

use uv_handles_core::{Delivery, Driver, NO_READY_TOKEN, NO_TOKEN_PAIR, PoolId, RunId, TimerChange};

use super::handles::timer::Timer;
use super::loops::{Loop, Run};
use crate::bindings::uv::handles::batch as generated;
use crate::bindings::uv::handles::types::{Error, ErrorCode};
use crate::native::driver::Waited;
use crate::native::world::{World, with};

pub(crate) mod batch {
    pub use super::generated::{
        BatchStep, Change, OpenAndStartTimer, OpenTimer, Operation, RunKey, StartTimer, TimerNumber,
        TokenPair,
    };
    #[cfg(feature = "concurrent")]
    pub use super::next;
    #[cfg(feature = "concurrent")]
    pub use super::next_callbacks;
    pub use super::{TimerPool, advance, key};
}

pub(crate) mod blocking_batch {
    pub use crate::bindings::uv::handles::blocking_batch::ReadyToken;

    pub use super::{next_blocking as next, next_callbacks_blocking as next_callbacks, next_ready};
}

use generated::{BatchStep, Change, Operation, RunKey, TimerNumber};

pub fn key(run: &Run) -> RunKey {
    with(|world| {
        let serial = world.next_serial();
        // A run that has finished gets a key that names no run.
        world.loops.key_of_run(run.0, || serial).unwrap_or(serial)
    })
}

#[cfg(feature = "concurrent")]
pub fn next(
    key: RunKey,
    max: u32,
    position: Option<u32>,
    pool: Option<&TimerPool>,
    changes: &[Change],
) -> Result<BatchStep, Error> {
    Ok(with(|world| world.deliver(key, max, position, pool, changes))?.into())
}

pub fn next_blocking(
    key: RunKey,
    max: u32,
    position: Option<u32>,
    pool: Option<&TimerPool>,
    changes: &[Change],
) -> Result<BatchStep, Error> {
    let delivery = with(|world| {
        match world.deliver(key, max, position, pool, changes)? {
            Delivery::Wait => {}
            other => return Ok(other),
        }
        let run = world.loops.run_of_key(key).ok_or(uv_handles_core::Error::Invalid)?;
        // Events from outside at this time come before the loop's own events.
        match world.wait_or_refuse(run)? {
            Waited::Over => Ok::<_, Error>(Driver::next(world, run, max)?),
            Waited::Early | Waited::Endless => Ok(Delivery::Wait),
        }
    })?;
    Ok(delivery.into())
}

#[cfg(feature = "concurrent")]
pub fn next_callbacks(key: RunKey) -> u64 {
    let pair = with(|world| {
        let run = world.loops.run_of_key(key)?;
        // An error comes again with the next call that can bring it.
        world.next_pair(run).ok().flatten()
    });
    pair.unwrap_or(NO_TOKEN_PAIR)
}

pub fn next_callbacks_blocking(key: RunKey) -> u64 {
    in_brief(key, World::next_pair).unwrap_or(NO_TOKEN_PAIR)
}

pub fn next_ready(key: RunKey) -> u64 {
    in_brief(key, World::next_ready).unwrap_or(NO_READY_TOKEN)
}

/// A form of `next` that returns what fits in a number.
type Brief = fn(&mut World, RunId) -> Result<Option<u64>, uv_handles_core::Error>;

fn in_brief(key: RunKey, next: Brief) -> Option<u64> {
    with(|world| {
        let run = world.loops.run_of_key(key)?;
        let brought = next(world, run).ok()?;
        if brought.is_some() || !world.loops.take_stashed_wait(run) {
            return brought;
        }
        match world.wait(run) {
            Ok(Waited::Over) => next(world, run).ok().flatten(),
            // `next` repeats the wait.
            Ok(Waited::Early | Waited::Endless) | Err(_) => None,
        }
    })
}

pub fn advance(key: RunKey, position: u32, pool: Option<&TimerPool>, changes: &[Change]) {
    with(|world| {
        let run = world.loops.run_of_key(key);
        let changes = changes.iter().copied().map(Into::into);
        Driver::advance(world, run, position as usize, pool.map(|pool| pool.0), changes);
    });
}

impl World {
    fn deliver(
        &mut self,
        key: RunKey,
        max: u32,
        position: Option<u32>,
        pool: Option<&TimerPool>,
        changes: &[Change],
    ) -> Result<Delivery, Error> {
        let run = self.loops.run_of_key(key);
        if position.is_some() || !changes.is_empty() {
            let position = position.map_or(usize::MAX, |position| position as usize);
            let changes = changes.iter().copied().map(Into::into);
            Driver::advance(self, run, position, pool.map(|pool| pool.0), changes);
        }
        Ok(Driver::next(self, run.ok_or(uv_handles_core::Error::Invalid)?, max)?)
    }

    /// Waits. Where nothing could end the wait, the test's function for that comes first, once.
    fn wait_or_refuse(&mut self, run: RunId) -> Result<Waited, Error> {
        let was_endless = std::mem::take(&mut self.is_endless);
        let waited = self.wait(run)?;
        if waited == Waited::Endless {
            if was_endless || self.on_endless_wait.is_none() {
                return Err(Error::Code(ErrorCode::Ecanceled));
            }
            self.is_endless = true;
        }
        Ok(waited)
    }
}

impl From<Delivery> for BatchStep {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Event(event) => Self::Event(event.into()),
            Delivery::Callbacks(tokens) => Self::Callbacks(tokens),
            Delivery::Polls(ready) => {
                Self::Polls(ready.into_iter().map(|(token, events)| (token, events.into())).collect())
            }
            Delivery::Closes(tokens) => Self::Closes(tokens),
            Delivery::Wait => Self::Wait,
            Delivery::Finished { alive } => Self::Finished(alive),
        }
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

pub struct TimerPool(PoolId);

impl TimerPool {
    pub fn create() -> Result<TimerPool, Error> {
        Ok(with(|world| world.loops.make_pool()).map(TimerPool)?)
    }

    pub fn allocate(&self, owner: &Loop, count: u32) -> Result<Vec<(Timer, TimerNumber)>, Error> {
        owner.check_own()?;
        let timers = with(|world| world.loops.allocate_timers(self.0, owner.0, count as usize))?;
        Ok(timers.into_iter().map(|timer| (Timer::of(timer), timer.index())).collect())
    }

    pub fn flush(&self, changes: &[Change]) {
        let changes = changes.iter().copied().map(Into::into);
        with(|world| Driver::advance(world, None, 0, Some(self.0), changes));
    }
}

impl Drop for TimerPool {
    fn drop(&mut self) {
        with(|world| world.loops.release_pool(self.0));
    }
}

#[cfg(feature = "concurrent")]
pub(crate) mod concurrent {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::{Error, Run, with};
    use crate::native::between_waits;

    /// Lets the other futures of the test go on once, and then moves the clock as a blocking wait
    /// does.
    pub async fn wait(run: &Run) -> Result<(), Error> {
        let mut has_yielded = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut has_yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        with(|world| world.wait_or_refuse(run.0))?;
        between_waits();
        Ok(())
    }
}
