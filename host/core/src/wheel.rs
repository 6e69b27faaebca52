//! The timing wheel: all active timers of a loop, in the order in which libuv's heap would give them.
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
        self.place(links, timer, deadline);
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
            while let Some(timer) = links.pop_front(list) {
                match level {
                    0 => links.push_back(due, timer),
                    _ => self.place(links, timer, links.deadline(timer)),
                }
            }
            self.levels[level].occupied &= !(1 << slot);
        }
        // No slot begins between here and `now`, so every timer stays on its level.
        self.cursor = now;
    }

    fn place(&mut self, links: &mut Links, timer: u32, deadline: u64) {
        debug_assert!(deadline >= self.cursor);
        let (level, slot) = self.position(deadline);
        let level = &mut self.levels[level];
        level.occupied |= 1 << slot;
        let slots = *level.slots.get_or_insert_with(|| links.new_anchors(SLOTS));
        links.push_back(slots.nth(slot), timer);
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The wheel beside the plainest model: a list of (deadline, start, timer) that is sorted.
    struct Pair {
        links: Links,
        wheel: Wheel,
        due: Anchor,
        model: Vec<(u64, u64, u32)>,
        starts: u64,
        now: u64,
    }

    impl Pair {
        fn new(now: u64, timers: u32) -> Pair {
            let mut links = Links::default();
            (0..timers).for_each(|timer| links.reset(timer));
            let due = links.new_anchors(1);
            Pair { links, wheel: Wheel::new(now), due, model: Vec::new(), starts: 0, now }
        }

        fn stop(&mut self, timer: u32) {
            if let Some(at) = self.model.iter().position(|entry| entry.2 == timer) {
                self.model.remove(at);
                self.wheel.remove(&mut self.links, timer);
            }
        }

        fn start(&mut self, timer: u32, timeout: u64) {
            self.stop(timer);
            let deadline = self.now.saturating_add(timeout);
            self.starts += 1;
            self.model.push((deadline, self.starts, timer));
            self.links.set_deadline(timer, deadline);
            self.wheel.insert(&mut self.links, timer);
        }

        fn advance(&mut self, by: u64) {
            self.now = self.now.saturating_add(by);
            if self.wheel.may_be_due(self.now) {
                self.wheel.take_due(&mut self.links, self.now, self.due);
            }
            let taken: Vec<u32> = std::iter::from_fn(|| self.links.pop_front(self.due)).collect();
            self.model.sort_unstable();
            let due = self.model.partition_point(|entry| entry.0 <= self.now);
            let expected: Vec<u32> = self.model.drain(..due).map(|entry| entry.2).collect();
            assert_eq!(taken, expected, "at {}", self.now);
        }

        fn check_earliest(&mut self) {
            let expected = self.model.iter().map(|entry| entry.0).min();
            assert_eq!(self.wheel.earliest(&self.links), expected);
        }
    }

    #[derive(Debug, Clone)]
    enum Op {
        Start(u32, u64),
        Stop(u32),
        Advance(u64),
        AdvanceToEarliest,
    }

    /// Times of every magnitude, with equal and neighbouring ones often enough to collide.
    fn time() -> impl Strategy<Value = u64> {
        prop_oneof![
            0..4u64,
            0..300u64,
            (0..64u32, 0..3u64).prop_map(|(bit, add)| (1u64 << bit).wrapping_add(add)),
            any::<u64>(),
            Just(u64::MAX),
        ]
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            6 => (0..32u32, time()).prop_map(|(timer, timeout)| Op::Start(timer, timeout)),
            2 => (0..32u32).prop_map(Op::Stop),
            2 => (0..5_000u64).prop_map(Op::Advance),
            1 => time().prop_map(Op::Advance),
            2 => Just(Op::AdvanceToEarliest),
        ]
    }

    /// Miri is some thousand times slower.
    const CASES: u32 = if cfg!(miri) { 2 } else { 2_000 };

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) })]

        #[test]
        fn the_wheel_fires_as_a_sorted_list_does(
            origin in time(),
            ops in prop::collection::vec(op(), 1..200),
        ) {
            let mut pair = Pair::new(origin, 32);
            for op in ops {
                match op {
                    Op::Start(timer, timeout) => pair.start(timer, timeout),
                    Op::Stop(timer) => pair.stop(timer),
                    Op::Advance(by) => pair.advance(by),
                    Op::AdvanceToEarliest => {
                        let by = pair.wheel.earliest(&pair.links).map_or(0, |at| at - pair.now);
                        pair.advance(by);
                    }
                }
                pair.check_earliest();
            }
            pair.advance(u64::MAX);
            pair.check_earliest();
        }
    }

    #[test]
    fn equal_deadlines_fire_in_start_order_across_levels() {
        let mut pair = Pair::new(0, 3);
        pair.start(2, 1_000); // waits on a high level ...
        pair.advance(950);
        pair.start(0, 50); // ... where this one joins it ...
        pair.advance(11);
        pair.start(1, 39); // ... and both have moved down before this one comes.
        pair.advance(39);
        assert!(pair.model.is_empty());
    }

    #[test]
    fn the_largest_deadline_is_reached() {
        let mut pair = Pair::new(0, 2);
        pair.start(0, u64::MAX);
        pair.advance(u64::MAX - 1);
        pair.start(1, 5);
        pair.advance(1);
        assert!(pair.model.is_empty());
        pair.start(1, 0);
        pair.advance(0);
        assert!(pair.model.is_empty());
    }
}
