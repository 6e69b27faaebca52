//! Batches: several callbacks handed over at once, and yet as if one at a time.
//!
//! What is handed over is only a forecast: the callback that is due, and those that will be due after it
//! unless a call comes in between. The loop's core goes on to the position that the guest reports; at the first call of a
//! callback the rest of the forecast is void. So no rule of the loop is here or in a guest.
//!
//! A forecast that comes true saves a pull for each callback. One that does not was made in vain, so its
//! length follows what the guest's callbacks have done so far.

use crate::ctx::UvCtx;
use crate::driver::Pulled;
use std::iter::Peekable;
use uv_handles_core::{Change, Changed, Changes, Event, HandleId, LoopId, Loops, Occurrence, ReserveId};

/// What stands where there is no token of 32 bits.
const NO_TOKEN: u32 = u32::MAX;

/// As much as any forecast has. The positions of changes have 16 bits.
const LONGEST: u32 = 256;
const _: () = assert!(LONGEST <= 1 << u16::BITS);

/// Fewer are pulled one by one: a list costs as much as some pulls.
const LEAST: usize = 3;

/// How long the first one of a kind is.
const FIRST: u32 = 32;

/// After forecasts that were void from the beginning, at most so many callbacks are handed over one by one
/// before the next.
const LONGEST_PAUSE: u32 = 255;

/// The batch that a guest was handed, and how long the next one may be.
#[derive(Debug)]
pub(crate) struct Batch {
    owner: LoopId,
    /// The handles whose callbacks were handed over; empty if there is no batch.
    handles: Vec<HandleId>,
    /// Which of them the core has delivered last.
    position: usize,
    kind: Kind,
    lengths: [Length; 3],
}

/// What is handed over beside a callback without arguments.
#[derive(Debug)]
pub(crate) enum Beside {
    Nothing,
    /// The token of another one.
    One(u32),
    /// More: it is to be pulled in the other form.
    Several,
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
    /// How many callbacks come one by one before the next forecast.
    pause: u32,
    last_pause: u32,
}

impl Batch {
    pub(crate) fn new() -> Batch {
        let first = Length { longest: FIRST, pause: 0, last_pause: 0 };
        let (owner, kind) = (LoopId::from_index(0), Kind::Callback);
        Batch { owner, handles: Vec::new(), position: 0, kind, lengths: [first; 3] }
    }

    fn hand_over(&mut self, owner: LoopId, kind: Kind, handles: impl IntoIterator<Item = HandleId>) {
        self.handles.extend(handles);
        (self.owner, self.kind, self.position) = (owner, kind, 0);
    }

    /// The same for this event and those behind it, at most `length` together, and what the guest gets of each.
    fn hand_over_each<R>(
        &mut self,
        loops: &Loops,
        owner: LoopId,
        kind: Kind,
        first: Event,
        length: usize,
        given: impl Fn(Event) -> R,
    ) -> Vec<R> {
        let mut all = Vec::with_capacity(length);
        all.push(given(first));
        self.handles.reserve(length);
        self.hand_over(owner, kind, [first.handle]);
        for event in loops.upcoming(owner).take(length - 1) {
            all.push(given(event));
            self.handles.push(event.handle);
        }
        all
    }

    /// Forgets what was handed over of a loop that is gone.
    pub(crate) fn forget(&mut self, owner: LoopId) {
        if self.owner == owner {
            self.handles.clear();
        }
    }
}

impl Length {
    /// How much may be handed over now.
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

/// Its token, if that says all of the event and has 32 bits.
#[inline]
pub(crate) fn brief_token(event: &Event) -> Option<u32> {
    match event.what {
        Occurrence::Callback => u32::try_from(event.token).ok().filter(|&token| token != NO_TOKEN),
        _ => None,
    }
}

/// One or two tokens in one number; none at all if there is none.
#[inline]
pub(crate) fn in_one(first: Option<u32>, second: Option<u32>) -> u64 {
    let [first, second] = [first, second].map(|token| u64::from(token.unwrap_or(NO_TOKEN)));
    second << 32 | first
}

impl UvCtx {
    /// This callback and what is handed over beside it, at most `max` together; nothing if it stays alone.
    pub(crate) fn forecast(&mut self, owner: LoopId, event: Event, max: u32) -> Option<Pulled> {
        if max <= 1 || self.loops.upcoming(owner).next().is_none() {
            return None;
        }
        let kind = match event.what {
            // An error stands alone.
            Occurrence::Poll(Err(_)) => return None,
            Occurrence::Poll(Ok(_)) => Kind::Poll,
            Occurrence::Closed => Kind::Closed,
            // Signals never have company.
            Occurrence::Callback | Occurrence::Signal(_) => Kind::Callback,
        };
        let length = self.batch.lengths[kind as usize].next().min(max) as usize;
        if length < LEAST || self.loops.upcoming(owner).nth(LEAST - 2).is_none() {
            return None;
        }
        let (batch, loops) = (&mut self.batch, &self.loops);
        let token = |event: Event| event.token;
        let ready = |Event { token, what, .. }: Event| match what {
            Occurrence::Poll(Ok(events)) => (token, events),
            other => unreachable!("{other:?} is not upcoming among poll handles"),
        };
        Some(match kind {
            Kind::Callback => {
                Pulled::Callbacks(batch.hand_over_each(loops, owner, kind, event, length, token))
            }
            Kind::Poll => Pulled::Polls(batch.hand_over_each(loops, owner, kind, event, length, ready)),
            Kind::Closed => Pulled::Closes(batch.hand_over_each(loops, owner, kind, event, length, token)),
        })
    }

    /// What is handed over beside a callback without arguments when no more than one has room.
    #[inline]
    pub(crate) fn beside(&mut self, owner: LoopId, event: &Event) -> Beside {
        let mut upcoming = self.loops.upcoming(owner);
        let Some(next) = upcoming.next() else {
            return Beside::Nothing;
        };
        if self.batch.lengths[Kind::Callback as usize].next() < LEAST as u32 {
            return Beside::Nothing;
        }
        match brief_token(&next) {
            _ if upcoming.next().is_some() => Beside::Several,
            Some(token) => {
                self.batch.hand_over(owner, Kind::Callback, [event.handle, next.handle]);
                Beside::One(token)
            }
            None => Beside::Nothing,
        }
    }

    /// The guest goes on pulling: it has called all that it was handed.
    #[inline]
    pub(crate) fn end_batch(&mut self) {
        if !self.batch.handles.is_empty() {
            self.advance(usize::MAX, None, Changes::default());
        }
    }

    /// The guest has come to this position of its batch, and the rest of it is void. `changes` are what its callbacks
    /// have done, to timers of this reserve.
    pub(crate) fn advance(&mut self, position: usize, reserve: Option<ReserveId>, changes: Changes<'_>) {
        let mut changes = changes.peekable();
        self.pass_batch(position, reserve, &mut changes);
        // Those of the guest at the end of its batch, or without one.
        let Some(reserve) = reserve else {
            return;
        };
        for Change { what, .. } in changes {
            if let Changed::Timer(number, change) = what {
                self.loops.change_timer(reserve, number, change);
            }
        }
    }

    fn pass_batch(
        &mut self,
        position: usize,
        reserve: Option<ReserveId>,
        changes: &mut Peekable<Changes<'_>>,
    ) {
        let Some(last) = self.batch.handles.len().checked_sub(1) else {
            return;
        };
        let owner = self.batch.owner;
        loop {
            let at = self.batch.position;
            while let Some(change) = changes.next_if(|change| usize::from(change.position) == at) {
                match (change.what, reserve) {
                    (Changed::Timer(number, change), Some(reserve)) => {
                        self.loops.change_timer(reserve, number, change);
                    }
                    (Changed::Timer(..), None) => {}
                    (Changed::CloseOwn, _) => self.close(self.batch.handles[at]),
                }
            }
            // As far as nothing was done.
            let next_change = changes.peek().map(|change| change.position.into()).filter(|&next| next > at);
            let to = position.min(last).min(next_change.unwrap_or(usize::MAX));
            self.batch.position += self.loops.pass(owner, &self.batch.handles[at + 1..=to]);
            // Either that is the end, or the guest has made calls without a word: then the rest is pulled again.
            if self.batch.position == at {
                break;
            }
        }
        let length = &mut self.batch.lengths[self.batch.kind as usize];
        match self.batch.position == last {
            true => length.came_true(),
            false => length.was_void_after(self.batch.position + 1),
        }
        self.batch.handles.clear();
    }
}
