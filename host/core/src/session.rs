//! Sessions: a guest's side of a run. A session knows the batch that was handed over, how far the
//! guest has come in it, how long the next lookahead may be, and the stashed delivery of a call that
//! could not bring it.
//!
//! A batch is the callback that is due and a lookahead: the callbacks that will be due after it
//! unless a call comes in between. The loop moves on to the position that the guest reports; the rest
//! of the lookahead is then void. So no rule of the loop is here or in a guest.
//!
//! A lookahead that is called to its end saves a call for each callback; a void one was made in vain.
//! So its length follows what the guest's callbacks have done so far.

use crate::timer_pool::{Change, Operation, PoolId};
use crate::{Error, Event, HandleId, LoopId, Loops, Occurrence, PollEvents, RunMode};
use std::iter::Peekable;

/// A run that a guest has begun. Valid until [`Loops::release_run`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunId(u32);

impl RunId {
    /// The number behind the id, so that it can be the representation of a resource.
    pub fn index(self) -> u32 {
        self.0
    }

    /// The id with this number. Only a number that [`RunId::index`] gave names a run.
    pub fn from_index(index: u32) -> RunId {
        RunId(index)
    }
}

/// How far a loop has come, for [`Driver::proceed`].
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

/// What [`Driver::next`] brings to a guest.
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

/// The longest batch.
const LONGEST: u32 = 256;

/// Fewer callbacks are handed over one by one: a list costs as much as some calls.
const LEAST: usize = 3;

/// The length of the first lookahead of a kind.
const FIRST: u32 = 32;

/// After lookaheads that were void from the beginning, at most so many callbacks are handed over one
/// by one before the next.
const LONGEST_PAUSE: u32 = 255;

/// The state of a session.
#[derive(Debug)]
pub(crate) struct Session {
    state: State,
    /// Names the session without its resource, once it has been asked for.
    key: Option<u64>,
    /// The handles whose callbacks were handed over; empty if there is no batch.
    batch: Vec<HandleId>,
    /// The callback of the batch that the core has delivered last.
    position: usize,
    kind: Kind,
    lengths: [Length; 3],
    /// A delivery that [`Driver::next_pair`] could not bring.
    stashed: Option<Progress>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running(LoopId),
    Finished,
    LoopGone,
}

/// Callbacks of one kind tend to do the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Callback,
    Poll,
    Closed,
}

#[derive(Debug, Clone, Copy)]
struct Length {
    longest: u32,
    /// How many callbacks come one by one before the next lookahead.
    pause: u32,
    last_pause: u32,
}

impl Length {
    /// How many callbacks may be handed over now.
    fn next(&mut self) -> u32 {
        match self.pause.checked_sub(1) {
            None => self.longest,
            Some(left) => {
                self.pause = left;
                1
            }
        }
    }

    fn came_true(&mut self) {
        self.longest = (self.longest * 2).min(LONGEST);
        self.last_pause = 0;
    }

    fn was_void_after(&mut self, called: usize) {
        self.longest = (called as u32 * 2).clamp(LEAST as u32, LONGEST);
        if called < LEAST {
            self.last_pause = (self.last_pause * 2 + 1).min(LONGEST_PAUSE);
            self.pause = self.last_pause;
        }
    }
}

/// The token of an event, if that is all there is to it and it fits beside another one.
#[inline]
fn short_token(event: &Event) -> Option<u32> {
    match event.what {
        Occurrence::Callback => u32::try_from(event.token).ok().filter(|&token| token != u32::MAX),
        _ => None,
    }
}

impl Loops {
    /// Begins a run for a guest, as [`Loops::begin`]. `TooManyLoops` when there are as many runs as
    /// there may be loops, finished ones included until they are released.
    pub fn begin_run(&mut self, owner: LoopId, mode: RunMode) -> Result<RunId, Error> {
        if self.sessions.len() >= self.limits.loops as usize {
            return Err(Error::TooManyLoops);
        }
        self.begin(owner, mode)?;
        let first = Length { longest: FIRST, pause: 0, last_pause: 0 };
        let at = self.sessions.insert(Session {
            state: State::Running(owner),
            key: None,
            batch: Vec::new(),
            position: 0,
            kind: Kind::Callback,
            lengths: [first; 3],
            stashed: None,
        });
        Ok(RunId(at as u32))
    }

    /// The loop of a run. `Invalid` once the run has finished, `LoopClosed` when its loop is gone.
    #[inline]
    pub fn loop_of_run(&self, run: RunId) -> Result<LoopId, Error> {
        match self.session(run).state {
            State::Running(owner) => Ok(owner),
            State::Finished => Err(Error::Invalid),
            State::LoopGone => Err(Error::LoopClosed),
        }
    }

    /// The key of a run, which `make` makes when it is first asked for. `Invalid` once the run has
    /// finished.
    pub fn key_of_run(&mut self, run: RunId, make: impl FnOnce() -> u64) -> Result<u64, Error> {
        self.loop_of_run(run)?;
        Ok(*self.session_mut(run).key.get_or_insert_with(make))
    }

    /// The run with this key.
    #[inline]
    pub fn run_of_key(&self, key: u64) -> Option<RunId> {
        let mut sessions = self.sessions.iter();
        sessions.find(|(_, session)| session.key == Some(key)).map(|(at, _)| RunId(at as u32))
    }

    /// Releases a run. One that has not finished ends, as if its callbacks had not become due yet.
    pub fn release_run(&mut self, run: RunId) {
        let session = self.sessions.remove(run.0 as usize);
        if let State::Running(owner) = session.state {
            self.abandon(owner);
        }
    }

    /// Ends the sessions of a loop that is gone.
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

    /// Takes the stashed delivery, unless the guest has closed the handle in the meantime.
    #[inline]
    fn take_stashed(&mut self, run: RunId) -> Option<Progress> {
        match self.session_mut(run).stashed.take()? {
            Progress::Deliver(event) if !self.still_delivers(&event) => None,
            stashed => Some(stashed),
        }
    }

    /// The delivery of this callback and its lookahead, at most `max` callbacks.
    #[inline]
    fn hand_over(&mut self, run: RunId, owner: LoopId, event: Event, max: u32) -> Delivery {
        if max <= 1 || self.upcoming(owner).next().is_none() {
            return Delivery::Event(event);
        }
        self.hand_over_batch(run, owner, event, max).unwrap_or(Delivery::Event(event))
    }

    fn hand_over_batch(&mut self, run: RunId, owner: LoopId, event: Event, max: u32) -> Option<Delivery> {
        let kind = match event.what {
            // An error stands alone.
            Occurrence::Poll(Err(_)) => return None,
            Occurrence::Poll(Ok(_)) => Kind::Poll,
            Occurrence::Closed => Kind::Closed,
            // Nothing is upcoming in the signals phase.
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

    /// Fills the batch with this event and the upcoming ones, at most `length` together, and returns
    /// what the guest gets of each.
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

    /// The tokens of this callback and of the upcoming one, if they are all there is to bring.
    #[inline]
    fn hand_over_pair(&mut self, run: RunId, owner: LoopId, event: &Event) -> Option<(u32, Option<u32>)> {
        let first = short_token(event)?;
        let mut upcoming = self.upcoming(owner);
        let Some(next) = upcoming.next() else {
            return Some((first, None));
        };
        let is_pair = upcoming.next().is_none();
        let session = self.session_mut(run);
        if session.lengths[Kind::Callback as usize].next() < LEAST as u32 {
            return Some((first, None));
        }
        if !is_pair {
            return None;
        }
        let second = short_token(&next);
        if second.is_some() {
            session.batch.extend([event.handle, next.handle]);
            (session.kind, session.position) = (Kind::Callback, 0);
        }
        Some((first, second))
    }
}

/// What a session needs from below: a host that knows an OS and a clock, or an adapter on WASI.
pub trait Driver {
    /// The reason why a loop cannot go on.
    type Error: From<Error>;

    /// The loops.
    fn loops(&mut self) -> &mut Loops;

    /// Goes on with the loop's run up to the next callback, the next wait or its end. Never blocks.
    fn proceed(&mut self, id: LoopId) -> Result<Progress, Self::Error>;

    /// Closes a handle, and what it has outside of the loop.
    fn close(&mut self, handle: HandleId);

    /// Goes on with a run for its guest, which has called everything that was handed over: brings at
    /// most `max` callbacks.
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

    /// The same for one or two callbacks without arguments, by their tokens. None for anything else,
    /// which the next call of [`next`](Driver::next) brings.
    #[inline(always)]
    fn next_pair(&mut self, run: RunId) -> Result<Option<(u32, Option<u32>)>, Self::Error> {
        if self.loops().session(run).stashed.is_some() {
            return Ok(None);
        }
        self.finish_batch(run);
        let Ok(owner) = self.loops().loop_of_run(run) else {
            return Ok(None);
        };
        let progress = self.proceed(owner)?;
        if let Progress::Deliver(event) = &progress
            && let Some(pair) = self.loops().hand_over_pair(run, owner, event)
        {
            return Ok(Some(pair));
        }
        let session = self.loops().session_mut(run);
        match progress {
            Progress::Wait => {}
            Progress::Deliver(_) => session.stashed = Some(progress),
            Progress::Finished { .. } => {
                (session.state, session.stashed) = (State::Finished, Some(progress));
            }
        }
        Ok(None)
    }

    /// The guest has called all of its batch.
    #[inline]
    fn finish_batch(&mut self, run: RunId) {
        if !self.loops().session(run).batch.is_empty() {
            self.advance(Some(run), usize::MAX, None, &mut std::iter::empty());
        }
    }

    /// The guest has come to this position of its batch, and the rest of it is void. `changes` are
    /// those of its callbacks, in order; the timers they name are of this pool.
    fn advance(
        &mut self,
        run: Option<RunId>,
        position: usize,
        pool: Option<PoolId>,
        changes: &mut dyn Iterator<Item = Change>,
    ) {
        let mut changes = changes.peekable();
        if let Some(run) = run {
            self.pass_batch(run, position, pool, &mut changes);
        }
        // Changes made at the end of the batch, or without one.
        let Some(pool) = pool else {
            return;
        };
        for Change { operation, .. } in changes {
            if let Operation::Timer(number, change) = operation {
                self.loops().change_timer(pool, number, change);
            }
        }
    }

    /// Moves the loop to a position of the batch, with the changes made on the way.
    fn pass_batch(
        &mut self,
        run: RunId,
        position: usize,
        pool: Option<PoolId>,
        changes: &mut Peekable<&mut dyn Iterator<Item = Change>>,
    ) {
        // Changes below call nothing of the session, so the batch can be taken out meanwhile.
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
            // As far as no callback made a change.
            let next_change = changes.peek().map(|change| change.position as usize).filter(|&next| next > at);
            let to = position.min(last).min(next_change.unwrap_or(usize::MAX));
            let passed = match batch.get(at + 1..=to) {
                Some(expected) => self.loops().pass(owner, expected),
                None => 0,
            };
            // Either that is the end, or the guest has made calls without telling: then the rest
            // comes again.
            if passed == 0 {
                break;
            }
            at += passed;
        }
        let session = self.loops().session_mut(run);
        session.position = at;
        let length = &mut session.lengths[session.kind as usize];
        match at == last {
            true => length.came_true(),
            false => length.was_void_after(at + 1),
        }
        session.batch = batch;
        session.batch.clear();
    }
}

#[cfg(test)]
mod tests;
