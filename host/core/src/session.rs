//! Sessions: the guest's side of a run, with batches and lookahead.
//!
//! A session stores the batch that was handed over, the guest's position in it, the length of the
//! next lookahead, and the stashed event of a call that could not return it.
//!
//! A batch is the callback that is due and a lookahead: the callbacks that are due after it unless
//! a call changes that. The guest reports its position and the loop advances to it. The rest of the
//! lookahead is then void. The rules of the loop therefore stay in the core; neither this file nor
//! the guest repeats them.
//!
//! A lookahead that is used up saves one call per callback. A void lookahead is wasted work. Its
//! length therefore adapts to the guest's earlier callbacks ([`length`]).

mod length;
mod packed;
#[cfg(test)]
mod tests;

use self::length::{LEAST, Length};
pub use self::packed::{NO_READY_TOKEN, NO_TOKEN_PAIR, ready_token, token_pair};
use self::packed::{short, short_token};
use crate::timer_pool::{Change, Operation, PoolId};
use crate::{Error, Event, HandleId, LoopId, Loops, Occurrence, PollEvents, RunMode};
use slab::Slab;
use std::iter::Peekable;

/// The id of a run that a guest has begun. It is valid until [`Loops::release_run`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunId(u32);

impl RunId {
    /// Returns the number of the id, which can serve as the representation of a resource.
    pub fn index(self) -> u32 {
        self.0
    }

    /// Returns the id with this number. Only a number from [`RunId::index`] names a run.
    pub fn from_index(index: u32) -> RunId {
        RunId(index)
    }
}

/// The result of [`Driver::proceed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A callback is due.
    Deliver(Event),
    /// Nothing is due now.
    Wait,
    /// The run is over.
    Finished {
        /// As [`Step::Finished`](crate::Step::Finished).
        alive: bool,
    },
}

/// The result of [`Driver::next`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// One callback.
    Event(Event),
    /// The tokens of callbacks without arguments.
    Callbacks(Vec<u64>),
    /// The tokens of poll handles, and the readiness of each.
    Polls(Vec<(u64, PollEvents)>),
    /// The tokens of close callbacks.
    Closes(Vec<u64>),
    /// Nothing is due now.
    Wait,
    /// The run is over.
    Finished {
        /// As [`Step::Finished`](crate::Step::Finished).
        alive: bool,
    },
}

/// The state of a session.
#[derive(Debug)]
pub(crate) struct Session {
    state: State,
    /// Identifies the session without its resource. It is made on first use.
    key: Option<u64>,
    /// The handles whose callbacks were handed over. Empty if there is no batch.
    batch: Vec<HandleId>,
    /// The position in the batch of the callback that the core delivered last.
    position: usize,
    kind: Kind,
    lengths: [Length; 3],
    /// The stashed event: one that [`Driver::next_pair`] could not return.
    stashed: Option<Progress>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running(LoopId),
    Finished,
    LoopGone,
}

/// The kinds of batches. Callbacks of one kind tend to behave alike, so each kind has its own
/// length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Callback,
    Poll,
    Closed,
}

impl Session {
    /// Ends a batch of which the guest has come to this position.
    #[inline]
    fn end_batch(&mut self, mut batch: Vec<HandleId>, position: usize) {
        self.position = position;
        let (called, length) = (position + 1, &mut self.lengths[self.kind as usize]);
        match called == batch.len() {
            true => length.record_used(),
            false => length.record_void_after(called),
        }
        batch.clear();
        self.batch = batch;
    }
}

impl Loops {
    /// Begins a run for a guest, as [`Loops::begin`].
    ///
    /// Returns `TooManyLoops` when there are as many runs as loops may exist. Finished runs count
    /// until they are released.
    pub fn begin_run(&mut self, owner: LoopId, mode: RunMode) -> Result<RunId, Error> {
        self.check_idle(owner)?;
        if self.sessions.len() >= self.limits.loops as usize {
            return Err(Error::TooManyLoops);
        }
        self.begin(owner, mode)?;
        if self.sessions.capacity() == 0 {
            // As for its loops: a guest runs one at a time.
            self.sessions = Slab::with_capacity(1);
        }
        let at = self.sessions.insert(Session {
            state: State::Running(owner),
            key: None,
            batch: Vec::new(),
            position: 0,
            kind: Kind::Callback,
            lengths: [Length::FIRST; 3],
            stashed: None,
        });
        Ok(RunId(at as u32))
    }

    /// Returns the loop of a run. `Invalid` once the run has finished, `LoopClosed` once its loop
    /// is released.
    #[inline]
    pub fn loop_of_run(&self, run: RunId) -> Result<LoopId, Error> {
        match self.session(run).state {
            State::Running(owner) => Ok(owner),
            State::Finished => Err(Error::Invalid),
            State::LoopGone => Err(Error::LoopClosed),
        }
    }

    /// Returns the key of a run. `make` makes it on first use. `Invalid` once the run has finished.
    pub fn key_of_run(&mut self, run: RunId, make: impl FnOnce() -> u64) -> Result<u64, Error> {
        self.loop_of_run(run)?;
        Ok(*self.session_mut(run).key.get_or_insert_with(make))
    }

    /// Returns the run with this key.
    #[inline]
    pub fn run_of_key(&self, key: u64) -> Option<RunId> {
        let mut sessions = self.sessions.iter();
        sessions.find(|(_, session)| session.key == Some(key)).map(|(at, _)| RunId(at as u32))
    }

    /// Releases a run. A run that has not finished ends, and its callbacks stay due.
    pub fn release_run(&mut self, run: RunId) {
        let session = self.sessions.remove(run.0 as usize);
        if let State::Running(owner) = session.state {
            self.abandon(owner);
        }
    }

    /// Ends the sessions of a released loop.
    pub(crate) fn end_sessions_of(&mut self, owner: LoopId) {
        for (_, session) in &mut self.sessions {
            if session.state == State::Running(owner) {
                session.state = State::LoopGone;
                session.batch.clear();
                session.stashed = None;
            }
        }
    }

    #[inline]
    fn session(&self, run: RunId) -> &Session {
        &self.sessions[run.0 as usize]
    }

    #[inline]
    fn session_mut(&mut self, run: RunId) -> &mut Session {
        &mut self.sessions[run.0 as usize]
    }

    /// Takes the stashed event, unless the guest has closed the handle since.
    #[inline]
    fn take_stashed(&mut self, run: RunId) -> Option<Progress> {
        match self.session_mut(run).stashed.take()? {
            Progress::Deliver(event) if !self.still_delivers(&event) => None,
            stashed => Some(stashed),
        }
    }

    /// Takes a stashed wait, for a guest that blocks. Returns whether there was one.
    pub fn take_stashed_wait(&mut self, run: RunId) -> bool {
        let session = self.session_mut(run);
        let is_wait = session.stashed == Some(Progress::Wait);
        if is_wait {
            session.stashed = None;
        }
        is_wait
    }

    /// Returns the delivery of this callback and its lookahead, at most `max` callbacks.
    #[inline]
    fn hand_over(&mut self, run: RunId, owner: LoopId, event: Event, max: u32) -> Delivery {
        if max <= 1 || self.upcoming(owner).next().is_none() {
            return Delivery::Event(event);
        }
        self.hand_over_batch(run, owner, event, max).unwrap_or(Delivery::Event(event))
    }

    fn hand_over_batch(&mut self, run: RunId, owner: LoopId, event: Event, max: u32) -> Option<Delivery> {
        let kind = match event.what {
            // An error is not part of a batch.
            Occurrence::Poll(Err(_)) => return None,
            Occurrence::Poll(Ok(_)) => Kind::Poll,
            Occurrence::Closed => Kind::Closed,
            // In the signals phase there are no upcoming callbacks.
            Occurrence::Callback | Occurrence::Signal(_) => Kind::Callback,
        };
        let length = self.session_mut(run).lengths[kind as usize].next().min(max) as usize;
        if length < LEAST || self.upcoming(owner).nth(LEAST - 2).is_none() {
            return None;
        }
        let token = |event: Event| event.token;
        let ready = |Event { token, what, .. }: Event| match what {
            Occurrence::Poll(Ok(events)) => (token, events),
            other => unreachable!("{other:?} is not upcoming among poll handles"),
        };
        Some(match kind {
            Kind::Callback => Delivery::Callbacks(self.fill(run, owner, kind, event, length, token)),
            Kind::Poll => Delivery::Polls(self.fill(run, owner, kind, event, length, ready)),
            Kind::Closed => Delivery::Closes(self.fill(run, owner, kind, event, length, token)),
        })
    }

    /// Advances the loop to the end of the batch, or to the first callback that is not due any more.
    fn pass_whole_batch(&mut self, run: RunId) {
        let batch = std::mem::take(&mut self.session_mut(run).batch);
        let Ok(owner) = self.loop_of_run(run) else {
            return;
        };
        let at = self.session(run).position;
        let passed = batch.get(at + 1..).map_or(0, |rest| self.pass(owner, rest));
        self.session_mut(run).end_batch(batch, at + passed);
    }

    /// Fills the batch with this event and the upcoming ones, at most `length` in total. Returns
    /// what `given` makes of each.
    fn fill<R>(
        &mut self,
        run: RunId,
        owner: LoopId,
        kind: Kind,
        first: Event,
        length: usize,
        given: impl Fn(Event) -> R,
    ) -> Vec<R> {
        let mut batch = std::mem::take(&mut self.session_mut(run).batch);
        let mut all = Vec::with_capacity(length);
        batch.reserve(length);
        all.push(given(first));
        batch.push(first.handle);
        for event in self.upcoming(owner).take(length - 1) {
            all.push(given(event));
            batch.push(event.handle);
        }
        let session = self.session_mut(run);
        (session.batch, session.kind, session.position) = (batch, kind, 0);
        all
    }

    /// Returns the tokens of this callback and the upcoming one, if neither has arguments.
    ///
    /// They are packed: a number stays in registers, while a tuple would go through memory.
    #[inline]
    fn hand_over_pair(&mut self, run: RunId, owner: LoopId, event: &Event) -> Option<u64> {
        let first = short_token(event)?;
        let mut upcoming = self.upcoming(owner);
        let Some(next) = upcoming.next() else {
            return Some(token_pair(first, None));
        };
        let is_pair = upcoming.next().is_none();
        let session = self.session_mut(run);
        if session.lengths[Kind::Callback as usize].next() < LEAST as u32 {
            return Some(token_pair(first, None));
        }
        if !is_pair {
            return None;
        }
        let second = short_token(&next);
        if second.is_some() {
            session.batch.push(event.handle);
            session.batch.push(next.handle);
            (session.kind, session.position) = (Kind::Callback, 0);
        }
        Some(token_pair(first, second))
    }

    /// Returns the token and the readiness of this poll handle, unless another one is upcoming.
    #[inline]
    fn hand_over_ready(&self, owner: LoopId, event: &Event) -> Option<u64> {
        match event.what {
            Occurrence::Poll(Ok(events)) if self.upcoming(owner).next().is_none() => {
                Some(ready_token(short(event.token)?, events))
            }
            _ => None,
        }
    }
}

/// The interface that sessions need: a host with an OS and a clock, or an adapter on WASI.
pub trait Driver {
    /// The error that ends a run.
    type Error: From<Error>;

    /// Returns the loops.
    fn loops(&mut self) -> &mut Loops;

    /// Continues the loop's run to the next callback, the next wait or its end. Never blocks.
    fn proceed(&mut self, id: LoopId) -> Result<Progress, Self::Error>;

    /// Closes a handle, and its state outside of the loop.
    fn close(&mut self, handle: HandleId);

    /// Continues a run for a guest that has called everything handed over. Returns at most `max`
    /// callbacks.
    fn next(&mut self, run: RunId, max: u32) -> Result<Delivery, Self::Error> {
        self.finish_batch(run);
        if let Some(stashed) = self.loops().take_stashed(run) {
            return Ok(match stashed {
                Progress::Deliver(event) => {
                    let owner = self.loops().loop_of_run(run)?;
                    self.loops().hand_over(run, owner, event, max)
                }
                Progress::Wait => Delivery::Wait,
                Progress::Finished { alive } => Delivery::Finished { alive },
            });
        }
        let owner = self.loops().loop_of_run(run)?;
        Ok(match self.proceed(owner)? {
            Progress::Deliver(event) => self.loops().hand_over(run, owner, event, max),
            Progress::Wait => Delivery::Wait,
            Progress::Finished { alive } => {
                self.loops().session_mut(run).state = State::Finished;
                Delivery::Finished { alive }
            }
        })
    }

    /// As [`next`](Driver::next), for one or two callbacks without arguments: their tokens, as
    /// [`token_pair`] packs them. Returns `None` for any other event, which is stashed for `next`.
    #[inline(always)]
    fn next_pair(&mut self, run: RunId) -> Result<Option<u64>, Self::Error> {
        self.next_in_brief(run, |loops, owner, event| loops.hand_over_pair(run, owner, event))
    }

    /// As [`next_pair`](Driver::next_pair), for one poll handle without an error that is ready: its token
    /// and its readiness, as [`ready_token`] packs them.
    #[inline(always)]
    fn next_ready(&mut self, run: RunId) -> Result<Option<u64>, Self::Error> {
        self.next_in_brief(run, |loops, owner, event| loops.hand_over_ready(owner, event))
    }

    /// As [`next`](Driver::next), for callbacks of which `hand_over` makes a short answer. Any other
    /// answer is stashed for `next`.
    #[inline(always)]
    fn next_in_brief(
        &mut self,
        run: RunId,
        hand_over: impl FnOnce(&mut Loops, LoopId, &Event) -> Option<u64>,
    ) -> Result<Option<u64>, Self::Error> {
        if self.loops().session(run).stashed.is_some() {
            return Ok(None);
        }
        self.finish_batch(run);
        let Ok(owner) = self.loops().loop_of_run(run) else {
            return Ok(None);
        };
        let progress = self.proceed(owner)?;
        if let Progress::Deliver(event) = &progress
            && let Some(answer) = hand_over(self.loops(), owner, event)
        {
            return Ok(Some(answer));
        }
        let session = self.loops().session_mut(run);
        if matches!(progress, Progress::Finished { .. }) {
            session.state = State::Finished;
        }
        session.stashed = Some(progress);
        Ok(None)
    }

    /// Records that the guest has called its whole batch.
    #[inline(always)]
    fn finish_batch(&mut self, run: RunId) {
        if !self.loops().session(run).batch.is_empty() {
            self.loops().pass_whole_batch(run);
        }
    }

    /// Records that the guest has reached this position of its batch. The rest of the batch is
    /// void.
    ///
    /// `changes` are the operations of the batch's callbacks, in order. The timers that they name
    /// belong to `pool`.
    fn advance(
        &mut self,
        run: Option<RunId>,
        position: usize,
        pool: Option<PoolId>,
        changes: impl Iterator<Item = Change>,
    ) {
        let mut changes = changes.peekable();
        if let Some(run) = run {
            self.pass_batch(run, position, pool, &mut changes);
        }
        // These operations were made at the end of the batch, or without a batch.
        let Some(pool) = pool else {
            return;
        };
        for Change { operation, .. } in changes {
            if let Operation::Timer(number, change) = operation {
                self.loops().change_timer(pool, number, change);
            }
        }
    }

    /// Advances the loop to a position of the batch, and applies the operations on the way.
    fn pass_batch(
        &mut self,
        run: RunId,
        position: usize,
        pool: Option<PoolId>,
        changes: &mut Peekable<impl Iterator<Item = Change>>,
    ) {
        // The operations below use nothing of the session, so the batch can be moved out of it.
        let batch = std::mem::take(&mut self.loops().session_mut(run).batch);
        let (Some(last), Ok(owner)) = (batch.len().checked_sub(1), self.loops().loop_of_run(run)) else {
            return;
        };
        let mut at = self.loops().session(run).position;
        loop {
            while let Some(change) = changes.next_if(|change| change.position as usize == at) {
                match (change.operation, pool) {
                    (Operation::Timer(number, change), Some(pool)) => {
                        self.loops().change_timer(pool, number, change);
                    }
                    (Operation::Timer(..), None) => {}
                    (Operation::CloseOwn, _) => self.close(batch[at]),
                }
            }
            // Advance as far as there is no operation.
            let next_change = changes.peek().map(|change| change.position as usize).filter(|&next| next > at);
            let to = position.min(last).min(next_change.unwrap_or(usize::MAX));
            let passed = match batch.get(at + 1..=to) {
                Some(expected) => self.loops().pass(owner, expected),
                None => 0,
            };
            // Either this is the end, or the guest has made calls without reporting its position.
            // In the second case the remaining callbacks are delivered again.
            if passed == 0 {
                break;
            }
            at += passed;
        }
        self.loops().session_mut(run).end_batch(batch, at);
    }
}
