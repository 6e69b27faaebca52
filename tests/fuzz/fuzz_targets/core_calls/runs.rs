//! The model's sessions: runs that guests have begun, with their batches.

use crate::driver::{Failure, TestDriver, Wait};
use crate::handle::Stage;
use crate::model::{LIMITS, Model};
use crate::pools::PoolChange;
use uv_handles_core::{
    Change, Delivery, Driver, Error, Event, HandleId, LoopId, Occurrence, Operation, PollEvents, PoolId,
    Progress, RunId, RunMode,
};

/// A run that is not released.
pub struct Session {
    pub id: RunId,
    pub owner: LoopId,
    pub ended: Option<Ended>,
    key: Option<u64>,
    /// The callbacks that were handed over together.
    batch: Vec<Event>,
    /// The stashed result of a call.
    stashed: Option<Progress>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Finished,
    LoopGone,
}

impl Session {
    pub fn end(&mut self, ended: Ended) {
        self.ended = Some(ended);
        self.batch.clear();
        if ended == Ended::LoopGone {
            self.stashed = None;
        }
    }

    fn is_running(&self) -> Result<(), Error> {
        match self.ended {
            None => Ok(()),
            Some(Ended::Finished) => Err(Error::Invalid),
            Some(Ended::LoopGone) => Err(Error::LoopClosed),
        }
    }
}

impl Model {
    /// Makes this call with a run that is not released.
    pub fn with_run(&mut self, at: u8, call: impl FnOnce(&mut Model, usize)) {
        if let Some(at) = (at as usize).checked_rem(self.sessions.len()) {
            call(self, at);
        }
    }

    pub fn begin_run(&mut self, owner: LoopId, mode: RunMode) {
        let begun = self.loops.begin_run(owner, mode);
        let expected = match self.if_open(owner) {
            Ok(()) if self.event_loop(owner).runs => Err(Error::Busy),
            Ok(()) if self.sessions.len() == LIMITS.loops as usize => Err(Error::TooManyLoops),
            expected => expected,
        };
        assert_eq!(begun.map(drop), expected);
        if let Ok(id) = begun {
            assert!(self.sessions.iter().all(|it| it.id != id), "its number is in use");
            let (batch, stashed) = (Vec::new(), None);
            self.sessions.push(Session { id, owner, ended: None, key: None, batch, stashed });
            let state = self.event_loop_mut(owner);
            (state.runs, state.in_session) = (true, true);
        }
    }

    pub fn key_of_run(&mut self, at: usize) {
        let id = self.sessions[at].id;
        self.keys += 1;
        let new = self.keys;
        let key = self.loops.key_of_run(id, || new);
        let expected = self.sessions[at].is_running();
        assert_eq!(key.map(drop), expected);
        if let Ok(key) = key {
            assert_eq!(key, *self.sessions[at].key.get_or_insert(new), "a run has one key");
            assert_eq!(self.loops.run_of_key(key), Some(id));
        }
        assert_eq!(self.loops.run_of_key(u64::MAX), None);
    }

    pub fn release_run(&mut self, at: usize) {
        let Session { id, owner, ended, key, .. } = self.sessions.remove(at);
        self.loops.release_run(id);
        assert!(key.is_none_or(|key| self.loops.run_of_key(key).is_none()), "a key ends with its run");
        if ended.is_none() {
            self.called(owner);
            self.event_loop_mut(owner).runs = false;
            assert!(!self.loops.stopping(owner), "the stop flag is cleared");
        }
    }

    /// Makes a call of the driver, and returns its answer and what the loop has come to.
    fn drive_run<R>(
        &mut self,
        now: u64,
        wait: Wait,
        call: impl FnOnce(&mut TestDriver) -> R,
    ) -> (R, Option<Progress>) {
        let mut driver = TestDriver { loops: &mut self.loops, now, wait, progress: None };
        let answer = call(&mut driver);
        let progress = driver.progress;
        (answer, progress)
    }

    /// Follows what the loop has come to.
    fn proceeded(&mut self, owner: LoopId, progress: Progress) {
        self.called(owner);
        match progress {
            Progress::Deliver(event) => self.delivered(owner, event),
            Progress::Wait => {}
            Progress::Finished { .. } => self.event_loop_mut(owner).runs = false,
        }
    }

    pub fn next(&mut self, at: usize, max: u32, now: u64, wait: Wait) {
        let (id, owner) = (self.sessions[at].id, self.sessions[at].owner);
        self.pass_batch(at, usize::MAX, None, &[]);
        let stashed = self.sessions[at].stashed.take().filter(|stashed| match stashed {
            Progress::Deliver(event) => self.can_have(event),
            _ => true,
        });
        let (delivery, progress) = self.drive_run(now, wait, |driver| driver.next(id, max));
        let running = self.sessions[at].is_running();
        let progress = match (stashed, running, wait) {
            (Some(stashed), ..) => {
                assert_eq!(progress, None, "a stashed delivery comes before anything else");
                stashed
            }
            (None, Err(error), _) => {
                assert_eq!(delivery, Err(Failure::Core(error)));
                return;
            }
            (None, Ok(()), Wait::Fails) => {
                assert_eq!(delivery, Err(Failure::Driver));
                return;
            }
            (None, Ok(()), _) => {
                let progress = progress.expect("the run goes on");
                self.proceeded(owner, progress);
                progress
            }
        };
        match (progress, delivery.expect("the run goes on")) {
            (Progress::Wait, delivery) => assert_eq!(delivery, Delivery::Wait),
            (Progress::Finished { alive }, delivery) => {
                assert_eq!(delivery, Delivery::Finished { alive });
                self.sessions[at].end(Ended::Finished);
            }
            (Progress::Deliver(event), Delivery::Event(delivered)) => assert_eq!(delivered, event),
            (Progress::Deliver(event), delivery) => self.batch_handed_over(at, event, &delivery, max),
        }
    }

    /// Whether a delivery can still be brought: the guest has neither closed nor released the handle.
    fn can_have(&self, event: &Event) -> bool {
        let handle = self.handles.iter().find(|handle| handle.id == event.handle);
        handle.is_some_and(|handle| event.what == Occurrence::Closed || handle.stage == Stage::Open)
    }

    /// Checks that a batch is the event and those that are upcoming.
    fn batch_handed_over(&mut self, at: usize, event: Event, delivery: &Delivery, max: u32) {
        let tokens = |what: Occurrence, tokens: &[u64]| tokens.iter().map(|&token| (token, what)).collect();
        let ready = |&(token, events): &(u64, PollEvents)| (token, Occurrence::Poll(Ok(events)));
        let handed_over: Vec<(u64, Occurrence)> = match delivery {
            Delivery::Callbacks(batch) => tokens(Occurrence::Callback, batch),
            Delivery::Polls(batch) => batch.iter().map(ready).collect(),
            Delivery::Closes(batch) => tokens(Occurrence::Closed, batch),
            other => panic!("{other:?} for {event:?}"),
        };
        assert!((2..=max as usize).contains(&handed_over.len()));
        self.keep_batch(at, event, handed_over.len());
        let batch: Vec<_> = self.sessions[at].batch.iter().map(|event| (event.token, event.what)).collect();
        assert_eq!(handed_over, batch);
    }

    fn keep_batch(&mut self, at: usize, event: Event, length: usize) {
        let upcoming = self.loops.upcoming(self.sessions[at].owner).take(length - 1);
        self.sessions[at].batch = std::iter::once(event).chain(upcoming).collect();
    }

    pub fn next_pair(&mut self, at: usize, now: u64, wait: Wait) {
        let (id, owner) = (self.sessions[at].id, self.sessions[at].owner);
        let is_stashed = self.sessions[at].stashed.is_some();
        if !is_stashed {
            self.pass_batch(at, usize::MAX, None, &[]);
        }
        let (pair, progress) = self.drive_run(now, wait, |driver| driver.next_pair(id));
        if is_stashed || self.sessions[at].ended.is_some() {
            assert_eq!((pair, progress), (Ok(None), None));
            return;
        }
        let Some(progress) = progress else {
            assert_eq!(pair, Err(Failure::Driver));
            return;
        };
        self.proceeded(owner, progress);
        match (pair.expect("the driver has not failed"), progress) {
            (Some(pair), Progress::Deliver(event)) => {
                let (first, second) = (pair & u64::from(u32::MAX), pair >> u32::BITS);
                assert_eq!((first, Occurrence::Callback), (event.token, event.what));
                if second != u64::from(u32::MAX) {
                    self.keep_batch(at, event, 2);
                    let next = self.sessions[at].batch[1];
                    assert_eq!((second, Occurrence::Callback), (next.token, next.what));
                }
            }
            (Some(pair), progress) => panic!("{pair:?} for {progress:?}"),
            (None, Progress::Wait | Progress::Deliver(_)) => self.sessions[at].stashed = Some(progress),
            (None, Progress::Finished { .. }) => {
                self.sessions[at].end(Ended::Finished);
                self.sessions[at].stashed = Some(progress);
            }
        }
    }

    pub fn advance(&mut self, at: usize, position: usize, pool: Option<u8>, changes: &[PoolChange]) {
        let id = self.sessions[at].id;
        let (pool, changes) = (pool.and_then(|pool| self.pick_pool(pool)), self.changes(changes));
        self.pass_batch(at, position, pool, &changes);
        self.drive_run(0, Wait::Fails, |driver| {
            driver.advance(Some(id), position, pool, &mut changes.iter().copied());
        });
    }

    /// Moves the model to a position of a batch, with the changes that its callbacks have made. Called
    /// before the core does the same.
    fn pass_batch(&mut self, at: usize, position: usize, pool: Option<PoolId>, changes: &[Change]) {
        let owner = self.sessions[at].owner;
        let batch = std::mem::take(&mut self.sessions[at].batch);
        let mut changes = changes.iter().peekable();
        if !batch.is_empty() && self.sessions[at].ended.is_none() {
            let mut due: Vec<HandleId> = self.loops.upcoming(owner).map(|event| event.handle).collect();
            for (called, event) in batch.iter().enumerate().take(position.saturating_add(1)) {
                if called > 0 {
                    // The rest is void if the guest has made calls without `advance`.
                    if due.first() != Some(&event.handle) {
                        break;
                    }
                    due.remove(0);
                    self.called(owner);
                    self.delivered(owner, *event);
                }
                while let Some(change) = changes.next_if(|change| change.position as usize == called) {
                    match (change.operation, pool) {
                        (Operation::Timer(number, change), Some(pool)) => {
                            if self.changed(pool, number, change) {
                                due.retain(|handle| handle.index() != number);
                            }
                        }
                        (Operation::Timer(..), None) => {}
                        (Operation::CloseOwn, _) => self.closed_own(event.handle),
                    }
                }
            }
        }
        for change in changes {
            if let (Operation::Timer(number, change), Some(pool)) = (change.operation, pool) {
                self.changed(pool, number, change);
            }
        }
    }

    fn closed_own(&mut self, id: HandleId) {
        // The guest may have released it in its callback.
        if let Some(handle) = self.handles.iter_mut().find(|handle| handle.id == id)
            && handle.stage == Stage::Open
        {
            handle.stage = Stage::Closing;
        }
    }
}
