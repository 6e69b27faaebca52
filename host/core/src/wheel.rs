//! The timing wheel: many timers, in the order in which libuv's heap would give them. It is tested as the
//! [queue](crate::timer_queue)'s.
//!
//! A deadline is read as eleven digits of six bits. A timer waits on the level of the highest digit
//! in which its deadline differs from the *cursor* (the time up to which timers have been taken), in
//! the slot of that digit; when the cursor reaches a slot, its timers move to lower levels. Starting
//! and stopping take constant time, over the whole range of u64.
//!
//! Why equal deadlines come out in start order: every timer is always on the level that the cursor
//! and its deadline determine, so timers with equal deadlines are in the same slot at any moment.
//! Slots are queues, and moving a slot down keeps its order.

use crate::links::{Anchor, Links};

const BITS: u32 = 6;
const SLOTS: u32 = 1 << BITS;
const LEVELS: usize = u64::BITS.div_ceil(BITS) as usize;

#[derive(Debug, Clone, Copy, Default)]
struct Level {
    /// A bit for each slot that has timers.
    occupied: u64,
    /// The lists of the slots, made when the level is first used.
    slots: Option<Anchor>,
}

/// What is known of the earliest deadline.
#[derive(Debug, Clone, Copy)]
enum Earliest {
    Known(Option<u64>),
    /// The timer that had it has left.
    Unknown,
}

#[derive(Debug)]
pub(crate) struct Wheel {
    cursor: u64,
    levels: [Level; LEVELS],
    earliest: Earliest,
}

impl Wheel {
    /// An empty wheel, for deadlines from `now` on.
    pub(crate) fn new(now: u64) -> Wheel {
        Wheel { cursor: now, levels: [Level::default(); LEVELS], earliest: Earliest::Known(None) }
    }

    /// Gives the wheel's lists back. The wheel is empty.
    pub(crate) fn free(&mut self, links: &mut Links) {
        for level in &mut self.levels {
            if let Some(slots) = level.slots.take() {
                links.free_anchors(slots, SLOTS);
            }
        }
    }

    /// Adds a timer whose deadline is set, behind those that have the same deadline. The deadline
    /// is not before the time of the last `take_due`.
    pub(crate) fn insert(&mut self, links: &mut Links, timer: u32) {
        let deadline = links.deadline(timer);
        let place = self.place(links, deadline);
        links.push_back(place, timer);
        if let Earliest::Known(earliest) = &mut self.earliest
            && earliest.is_none_or(|earliest| deadline < earliest)
        {
            *earliest = Some(deadline);
        }
    }

    /// Takes a timer out that was inserted and has not been taken since.
    pub(crate) fn remove(&mut self, links: &mut Links, timer: u32) {
        links.unlink(timer);
        let deadline = links.deadline(timer);
        let (level, slot) = self.position(deadline);
        self.clear_if_empty(links, level, slot);
        if matches!(self.earliest, Earliest::Known(Some(earliest)) if earliest == deadline) {
            self.earliest = Earliest::Unknown;
        }
    }

    /// The earliest deadline of all timers.
    pub(crate) fn earliest(&mut self, links: &Links) -> Option<u64> {
        if let Earliest::Known(earliest) = self.earliest {
            return earliest;
        }
        // Timers of a level are due before those of all higher ones, and within a level slot by
        // slot. Only the order inside the first slot has to be searched.
        let earliest = self.first_slot().and_then(|(level, slot, _)| {
            let list = self.levels[level].slots?.nth(slot);
            links.iter(list).map(|timer| links.deadline(timer)).min()
        });
        self.earliest = Earliest::Known(earliest);
        earliest
    }

    /// Whether timers may be due at `now`. If not, `take_due` can be left out.
    pub(crate) fn may_be_due(&self, now: u64) -> bool {
        match self.earliest {
            Earliest::Known(earliest) => earliest.is_some_and(|earliest| earliest <= now),
            Earliest::Unknown => true,
        }
    }

    /// Moves all timers that are due at `now` to the back of `due`, in order of deadline and start.
    pub(crate) fn take_due(&mut self, links: &mut Links, now: u64, due: Anchor) {
        debug_assert!(now >= self.cursor);
        while let Some((level, slot, start)) = self.first_slot() {
            let Some(slots) = self.levels[level].slots else {
                break;
            };
            if start > now {
                break;
            }
            self.cursor = start;
            self.earliest = Earliest::Unknown;
            let list = slots.nth(slot);
            match level {
                // Their deadlines are equal.
                0 => links.append(list, due),
                _ => {
                    while let Some(timer) = links.first(list) {
                        let place = self.place(links, links.deadline(timer));
                        links.rotate(list, place);
                    }
                }
            }
            self.levels[level].occupied &= !(1 << slot);
        }
        // No slot begins between here and `now`, so every timer stays on its level.
        self.cursor = now;
    }

    /// The list that a timer with this deadline is about to wait in.
    fn place(&mut self, links: &mut Links, deadline: u64) -> Anchor {
        debug_assert!(deadline >= self.cursor);
        let (level, slot) = self.position(deadline);
        let level = &mut self.levels[level];
        level.occupied |= 1 << slot;
        let slots = *level.slots.get_or_insert_with(|| links.new_anchors(SLOTS));
        slots.nth(slot)
    }

    fn clear_if_empty(&mut self, links: &Links, level: usize, slot: u32) {
        let level = &mut self.levels[level];
        if level.slots.is_some_and(|slots| links.is_empty(slots.nth(slot))) {
            level.occupied &= !(1 << slot);
        }
    }

    /// The level and slot at which a timer with this deadline waits.
    fn position(&self, deadline: u64) -> (usize, u32) {
        let differing = self.cursor ^ deadline;
        let level = differing.checked_ilog2().unwrap_or(0) / BITS;
        let slot = (deadline >> (level * BITS)) as u32 % SLOTS;
        (level as usize, slot)
    }

    /// The slot whose timers are due first, and the time at which it begins.
    fn first_slot(&self) -> Option<(usize, u32, u64)> {
        let level = self.levels.iter().position(|level| level.occupied != 0)?;
        let slot = self.levels[level].occupied.trailing_zeros();
        let shift = level as u32 * BITS;
        // The digits above the slot's are the cursor's. On the highest level there are none.
        let above = self.cursor.checked_shr(shift + BITS).unwrap_or(0);
        let above = above.checked_shl(shift + BITS).unwrap_or(0);
        Some((level, slot, above | (u64::from(slot) << shift)))
    }
}
