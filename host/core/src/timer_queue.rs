//! A loop's active timers, in order of deadline and then of start.
//!
//! Most loops have few timers. These are kept in one sorted list, which needs no memory of its own.
//! A loop with more timers gets a [wheel](crate::wheel) and keeps it.

use crate::links::{Anchor, Links};
use crate::wheel::Wheel;

/// The longest sorted list. Up to this length, insertion is as fast as in a wheel.
const FEW: u32 = 4;

#[derive(Debug)]
pub(crate) struct TimerQueue {
    /// The timers, while there is no wheel.
    few: Anchor,
    count: u32,
    /// The time of the last `take_due`.
    taken: u64,
    wheel: Option<Box<Wheel>>,
}

impl TimerQueue {
    /// Creates an empty queue for deadlines from `now` on, which uses the list `few`.
    pub(crate) fn new(now: u64, few: Anchor) -> TimerQueue {
        TimerQueue { few, count: 0, taken: now, wheel: None }
    }

    /// Frees the lists of the wheel. The queue must be empty.
    pub(crate) fn free(&mut self, links: &mut Links) {
        if let Some(mut wheel) = self.wheel.take() {
            wheel.free(links);
        }
    }

    /// Inserts a timer after those with the same deadline. The deadline must be set, and must not
    /// be before the time of the last `take_due`.
    pub(crate) fn insert(&mut self, links: &mut Links, timer: u32) {
        if self.wheel.is_none() && self.count == FEW {
            self.use_wheel(links);
        }
        if let Some(wheel) = &mut self.wheel {
            return wheel.insert(links, timer);
        }
        self.count += 1;
        let deadline = links.deadline(timer);
        let mut before = links.last(self.few);
        while let Some(other) = before.filter(|&other| links.deadline(other) > deadline) {
            before = links.before(self.few, other);
        }
        links.insert_after(before.unwrap_or(self.few.node()), timer);
    }

    /// Removes a timer that was inserted and has not been taken since.
    pub(crate) fn remove(&mut self, links: &mut Links, timer: u32) {
        match &mut self.wheel {
            Some(wheel) => wheel.remove(links, timer),
            None => {
                links.unlink(timer);
                self.count -= 1;
            }
        }
    }

    /// Returns the first timer, if that needs no search: there is no wheel.
    pub(crate) fn first(&self, links: &Links) -> Option<u32> {
        match self.wheel {
            Some(_) => None,
            None => links.first(self.few),
        }
    }

    /// Returns the earliest deadline.
    pub(crate) fn earliest(&mut self, links: &Links) -> Option<u64> {
        match &mut self.wheel {
            Some(wheel) => wheel.earliest(links),
            None => links.first(self.few).map(|timer| links.deadline(timer)),
        }
    }

    /// Returns whether timers may be due at `now`. If not, `take_due` need not be called.
    #[inline]
    pub(crate) fn may_be_due(&self, links: &Links, now: u64) -> bool {
        match &self.wheel {
            Some(wheel) => wheel.may_be_due(now),
            None => links.first(self.few).is_some_and(|timer| links.deadline(timer) <= now),
        }
    }

    /// Moves all timers due at `now` to the back of `due`, in order of deadline and start.
    pub(crate) fn take_due(&mut self, links: &mut Links, now: u64, due: Anchor) {
        if let Some(wheel) = &mut self.wheel {
            return wheel.take_due(links, now, due);
        }
        self.taken = now;
        while self.earliest(links).is_some_and(|deadline| deadline <= now) {
            links.rotate(self.few, due);
            self.count -= 1;
        }
    }

    #[cold]
    fn use_wheel(&mut self, links: &mut Links) {
        let mut wheel = Box::new(Wheel::new(self.taken));
        while let Some(timer) = links.pop_front(self.few) {
            wheel.insert(links, timer);
        }
        self.wheel = Some(wheel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The queue next to its model: a sorted list of (deadline, start, timer).
    struct Pair {
        links: Links,
        queue: TimerQueue,
        due: Anchor,
        model: Vec<(u64, u64, u32)>,
        starts: u64,
        now: u64,
    }

    impl Pair {
        fn new(now: u64, timers: u32, has_wheel: bool) -> Pair {
            let mut links = Links::default();
            (0..timers).for_each(|timer| links.reset(timer));
            let due = links.new_anchors(2);
            let mut queue = TimerQueue::new(now, due.nth(1));
            if has_wheel {
                queue.use_wheel(&mut links);
            }
            Pair { links, queue, due, model: Vec::new(), starts: 0, now }
        }

        fn stop(&mut self, timer: u32) {
            if let Some(at) = self.model.iter().position(|entry| entry.2 == timer) {
                self.model.remove(at);
                self.queue.remove(&mut self.links, timer);
            }
        }

        fn start(&mut self, timer: u32, timeout: u64) {
            self.stop(timer);
            let deadline = self.now.saturating_add(timeout);
            self.starts += 1;
            self.model.push((deadline, self.starts, timer));
            self.links.set_deadline(timer, deadline);
            self.queue.insert(&mut self.links, timer);
        }

        fn advance(&mut self, by: u64) {
            self.now = self.now.saturating_add(by);
            if self.queue.may_be_due(&self.links, self.now) {
                self.queue.take_due(&mut self.links, self.now, self.due);
            }
            let taken: Vec<u32> = std::iter::from_fn(|| self.links.pop_front(self.due)).collect();
            self.model.sort_unstable();
            let due = self.model.partition_point(|entry| entry.0 <= self.now);
            let expected: Vec<u32> = self.model.drain(..due).map(|entry| entry.2).collect();
            assert_eq!(taken, expected, "at {}", self.now);
        }

        fn check_earliest(&mut self) {
            let expected = self.model.iter().map(|entry| entry.0).min();
            assert_eq!(self.queue.earliest(&self.links), expected);
        }
    }

    #[derive(Debug, Clone)]
    enum Op {
        Start(u32, u64),
        Stop(u32),
        Advance(u64),
        AdvanceToEarliest,
    }

    /// Times of every magnitude. Equal and neighboring times are frequent enough to collide.
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

    /// Miri is several thousand times slower.
    const CASES: u32 = if cfg!(miri) { 2 } else { 2_000 };

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) })]

        #[test]
        fn the_queue_fires_in_the_order_of_a_sorted_list(
            origin in time(),
            has_wheel in any::<bool>(),
            timers in 1..32u32,
            ops in prop::collection::vec(op(), 1..200),
        ) {
            let mut pair = Pair::new(origin, timers, has_wheel);
            for op in ops {
                match op {
                    Op::Start(timer, timeout) => pair.start(timer % timers, timeout),
                    Op::Stop(timer) => pair.stop(timer % timers),
                    Op::Advance(by) => pair.advance(by),
                    Op::AdvanceToEarliest => {
                        let by = pair.queue.earliest(&pair.links).map_or(0, |at| at - pair.now);
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
        let mut pair = Pair::new(0, 3, true);
        pair.start(2, 1_000); // Placed on a high level.
        pair.advance(950);
        pair.start(0, 50); // Placed on the same level.
        pair.advance(11);
        pair.start(1, 39); // Inserted after both moved down.
        pair.advance(39);
        assert!(pair.model.is_empty());
    }

    #[test]
    fn a_timer_with_the_largest_deadline_fires() {
        let mut pair = Pair::new(0, 2, true);
        pair.start(0, u64::MAX);
        pair.advance(u64::MAX - 1);
        pair.start(1, 5);
        pair.advance(1);
        assert!(pair.model.is_empty());
        pair.start(1, 0);
        pair.advance(0);
        assert!(pair.model.is_empty());
    }

    #[test]
    fn more_than_a_few_timers_use_a_wheel() {
        let mut pair = Pair::new(7, FEW + 1, false);
        // Equal deadlines, each pair earlier than the pair before.
        (0..FEW).for_each(|timer| pair.start(timer, u64::from(20 - timer / 2)));
        assert!(pair.queue.wheel.is_none());
        pair.start(FEW, 15);
        assert!(pair.queue.wheel.is_some());
        for _ in 0..20 {
            pair.advance(1);
            pair.check_earliest();
        }
        assert!(pair.model.is_empty());
    }
}
