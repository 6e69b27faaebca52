//! The model's timer pools, and changes of timers by number.

use crate::Time;
use crate::handle::{Handle, Kind, Stage};
use crate::model::{LIMITS, Model};
use arbitrary::Arbitrary;
use uv_handles_core::{Change, Error, LoopId, Operation, PoolId, TimerChange};

/// A change in the fuzzer's input.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub struct PoolChange {
    position: u8,
    /// Names a handle. It need not be a timer of the pool.
    handle: u8,
    operation: PoolOperation,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum PoolOperation {
    Open(u64),
    OpenAndStart(u64, Time, Time),
    Start(Time, Time),
    Stop,
    Close,
    CloseOwn,
    /// An operation on a number that is no handle at all.
    Nothing,
}

impl Model {
    pub fn make_pool(&mut self) {
        let made = self.loops.make_pool();
        if self.pools.len() == LIMITS.loops as usize {
            assert_eq!(made, Err(Error::TooManyHandles));
            return;
        }
        let pool = made.expect("the limit is not reached");
        assert!(self.handles.iter().all(|handle| handle.pool != Some(pool)), "a pool is new");
        self.pools.push(pool);
    }

    pub fn pick_pool(&self, at: u8) -> Option<PoolId> {
        Some(self.pools[(at as usize).checked_rem(self.pools.len())?])
    }

    pub fn allocate(&mut self, pool: u8, owner: LoopId, count: usize) {
        let Some(pool) = self.pick_pool(pool) else { return };
        let room = self.free_places();
        let made = self.loops.allocate_timers(pool, owner, count);
        if let Err(error) = self.if_open(owner) {
            assert_eq!(made, Err(error));
            return;
        }
        if room == 0 {
            assert_eq!(made, Err(Error::TooManyHandles));
            return;
        }
        let made = made.expect("there is room");
        assert_eq!(made.len(), count.clamp(1, room));
        for id in made {
            assert!(self.handles.iter().all(|handle| handle.id != id), "its number is in use");
            self.handles.push(Handle {
                id,
                owner,
                kind: Kind::Timer,
                token: 0,
                stage: Stage::Closed,
                referenced: false,
                pool: Some(pool),
            });
        }
    }

    pub fn release_pool(&mut self, at: u8) {
        if let Some(pool) = self.pick_pool(at) {
            self.pools.retain(|it| *it != pool);
            self.loops.release_pool(pool);
        }
    }

    /// Flushes changes one by one, and compares the timer that each names.
    pub fn flush(&mut self, at: u8, changes: &[PoolChange]) {
        let Some(pool) = self.pick_pool(at) else { return };
        for Change { operation, .. } in self.changes(changes) {
            if let Operation::Timer(number, change) = operation {
                self.loops.change_timer(pool, number, change);
                self.changed(pool, number, change);
                self.check();
            }
        }
    }

    /// The changes of an input, as the core takes them.
    pub fn changes(&self, changes: &[PoolChange]) -> Vec<Change> {
        let changes = changes.iter().map(|&PoolChange { position, handle, operation }| {
            let number = (handle as usize).checked_rem(self.handles.len());
            let number = number.map_or(u32::MAX, |at| self.handles[at].id.index());
            let timer = |change| Operation::Timer(number, change);
            let operation = match operation {
                PoolOperation::Open(token) => timer(TimerChange::Open { token }),
                PoolOperation::OpenAndStart(token, timeout, repeat) => {
                    let (timeout, repeat) = (timeout.ms(), repeat.ms());
                    timer(TimerChange::OpenAndStart { token, timeout, repeat })
                }
                PoolOperation::Start(timeout, repeat) => {
                    timer(TimerChange::Start { timeout: timeout.ms(), repeat: repeat.ms() })
                }
                PoolOperation::Stop => timer(TimerChange::Stop),
                PoolOperation::Close => timer(TimerChange::Close),
                PoolOperation::CloseOwn => Operation::CloseOwn,
                PoolOperation::Nothing => Operation::Timer(u32::MAX, TimerChange::Close),
            };
            Change { position: position.into(), operation }
        });
        changes.collect()
    }

    /// Makes a change in the model. Returns whether it takes the timer out of what is due.
    pub fn changed(&mut self, pool: PoolId, number: u32, change: TimerChange) -> bool {
        let is_this = |handle: &Handle| handle.id.index() == number && handle.pool == Some(pool);
        let Some(at) = self.handles.iter().position(is_this) else { return false };
        let (stage, owner) = (self.handles[at].stage, self.handles[at].owner);
        match change {
            TimerChange::Open { token } | TimerChange::OpenAndStart { token, .. } => {
                if stage == Stage::Closed && self.if_open(owner).is_ok() {
                    let old = self.handles.remove(at);
                    self.handles.push(Handle { token, stage: Stage::Open, referenced: true, ..old });
                }
                false
            }
            TimerChange::Start { .. } | TimerChange::Stop => stage == Stage::Open,
            TimerChange::Close => {
                if stage == Stage::Open {
                    self.handles[at].stage = Stage::Closing;
                }
                stage == Stage::Open
            }
        }
    }
}
