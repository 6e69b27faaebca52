//! A timing wheel: many timers in the order of libuv's heap.
//!
//! The tests of the [queue](crate::timer_queue) cover it.
//!
//! A deadline is read as eleven digits of six bits. A timer is on the level of the highest digit in
//! which its deadline differs from the *cursor* (the time up to which timers have been taken), in
//! the slot of that digit. When the cursor reaches a slot, its timers move to lower levels.
//! Starting and stopping take constant time over the whole range of u64.
//!
//! Equal deadlines expire in start order. The level of a timer depends only on the cursor and its
//! deadline, so timers with equal deadlines are always in the same slot. Slots are queues, and
//! moving a slot down keeps its order.

use crate::links::{Anchor, Links};

const BITS: u32 = 6;
const SLOTS: u32 = 1 << BITS;
const LEVELS: usize = u64::BITS.div_ceil(BITS) as usize;

#[derive(Debug, Clone, Copy, Default)]
struct Level {
    /// One bit per slot that has timers.
    occupied: u64,
    /// The lists of the slots. They are made when the level is first used.
    slots: Option<Anchor>,
}

/// The cached earliest deadline.
#[derive(Debug, Clone, Copy)]
enum Earliest {
    Known(Option<u64>),
    /// The timer with the earliest deadline has been removed.
    Unknown,
}

#[derive(Debug)]
pub(crate) struct Wheel {
    cursor: u64,
    levels: [Level; LEVELS],
    earliest: Earliest,
}

impl Wheel {
    /// Creates an empty wheel for deadlines from `now` on.
    pub(crate) fn new(now: u64) -> Wheel {
        Wheel { cursor: now, levels: [Level::default(); LEVELS], earliest: Earliest::Known(None) }
    }

    /// Frees the lists of the wheel, which must be empty.
    pub(crate) fn free(&mut self, links: &mut Links) {
        for level in &mut self.levels {
            if let Some(slots) = level.slots.take() {
                links.free_anchors(slots, SLOTS);
            }
        }
    }

    /// Inserts a timer after those with the same deadline. The deadline must be set, and must not
    /// be before the time of the last `take_due`.
    pub(crate) fn insert(&mut self, links: &mut Links, timer: u32) {
        let deadline = links.deadline(timer);
        let list = self.occupy(links, deadline);
        links.push_back(list, timer);
        if let Earliest::Known(earliest) = &mut self.earliest
            && earliest.is_none_or(|earliest| deadline < earliest)
        {
            *earliest = Some(deadline);
        }
    }

    /// Removes a timer that was inserted and has not been taken since.
    pub(crate) fn remove(&mut self, links: &mut Links, timer: u32) {
        links.unlink(timer);
        let deadline = links.deadline(timer);
        let (level, slot) = self.position(deadline);
        self.clear_if_empty(links, level, slot);
        if matches!(self.earliest, Earliest::Known(Some(earliest)) if earliest == deadline) {
            self.earliest = Earliest::Unknown;
        }
    }

    /// Returns the earliest deadline.
    pub(crate) fn earliest(&mut self, links: &Links) -> Option<u64> {
        if let Earliest::Known(earliest) = self.earliest {
            return earliest;
        }
        // Timers of a level are due before those of all higher levels, and within a level slot by
        // slot. Only the first slot has to be searched.
        let earliest = self.first_slot().and_then(|(level, slot, _)| {
            let list = self.levels[level].slots?.nth(slot);
            links.iter(list).map(|timer| links.deadline(timer)).min()
        });
        self.earliest = Earliest::Known(earliest);
        earliest
    }

    /// Returns whether timers may be due at `now`. If not, `take_due` need not be called.
    pub(crate) fn may_be_due(&self, now: u64) -> bool {
        match self.earliest {
            Earliest::Known(earliest) => earliest.is_some_and(|earliest| earliest <= now),
            Earliest::Unknown => true,
        }
    }

    /// Moves all timers due at `now` to the back of `due`, in order of deadline and start.
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
                // The deadlines of a slot on level 0 are equal.
                0 => links.append(list, due),
                _ => {
                    while let Some(timer) = links.first(list) {
                        let target = self.occupy(links, links.deadline(timer));
                        links.rotate(list, target);
                    }
                }
            }
            self.levels[level].occupied &= !(1 << slot);
        }
        // No slot begins between the cursor and `now`, so every timer stays on its level.
        self.cursor = now;
    }

    /// Returns the list for a timer with this deadline, and marks its slot as occupied.
    fn occupy(&mut self, links: &mut Links, deadline: u64) -> Anchor {
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

    /// Returns the level and slot of a timer with this deadline.
    fn position(&self, deadline: u64) -> (usize, u32) {
        let differing = self.cursor ^ deadline;
        let level = differing.checked_ilog2().unwrap_or(0) / BITS;
        let slot = (deadline >> (level * BITS)) as u32 % SLOTS;
        (level as usize, slot)
    }

    /// Returns the slot whose timers are due first, and the time at which it begins.
    fn first_slot(&self) -> Option<(usize, u32, u64)> {
        let level = self.levels.iter().position(|level| level.occupied != 0)?;
        let slot = self.levels[level].occupied.trailing_zeros();
        let shift = level as u32 * BITS;
        // The digits above the slot's are those of the cursor. The highest level has none above it.
        let above = self.cursor.checked_shr(shift + BITS).unwrap_or(0);
        let above = above.checked_shl(shift + BITS).unwrap_or(0);
        Some((level, slot, above | (u64::from(slot) << shift)))
    }
}
