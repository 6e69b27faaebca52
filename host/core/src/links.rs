//! Intrusive doubly linked lists of handles, like libuv's queues.
//!
//! A handle is in at most one list. It leaves that list in constant time, and the caller need not
//! know which list it is.
//!
//! Lists are circular around an *anchor*. Anchors and handles share one space of node numbers. The
//! highest bit distinguishes them.

/// The bytes that a processor fetches at once.
const CACHE_LINE: usize = 64;

/// The bit that marks the node numbers of anchors.
const ANCHOR: u32 = 1 << 31;

/// A list, by the node that its first and last members link to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchor(u32);

impl Anchor {
    /// Returns the anchor `n` positions further in the block from `Links::new_anchors`.
    pub(crate) fn nth(self, n: u32) -> Anchor {
        Anchor(self.0 + n)
    }

    /// Returns the number of the anchor's node, at which iteration starts.
    pub(crate) fn node(self) -> u32 {
        self.0
    }
}

/// The neighbors in a list.
#[derive(Debug, Clone, Copy)]
struct Node {
    prev: u32,
    next: u32,
}

impl Node {
    fn alone(at: u32) -> Node {
        Node { prev: at, next: at }
    }
}

/// The data of one handle slot.
#[derive(Debug, Clone, Copy)]
struct Slot {
    node: Node,
    /// A timer's deadline in milliseconds. It is stored next to the node because code that walks a
    /// list of timers reads it next. It keeps its value while the timer is stopped.
    deadline: u64,
}

impl Slot {
    fn alone(at: u32) -> Slot {
        Slot { node: Node::alone(at), deadline: 0 }
    }
}

/// The nodes of all handles and lists of a guest.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Links {
    /// Blocks of anchors that were given back: the first anchor and the length.
    free: Vec<(Anchor, u32)>,
    handles: Vec<Slot>,
    anchors: Vec<Node>,
}

impl Links {
    /// Reads a node of each cache line of the anchors: see [`Loops::warm`](crate::Loops::warm).
    pub(crate) fn warm(&self) -> u32 {
        self.anchors.iter().step_by(CACHE_LINE / size_of::<Node>()).fold(0, |sum, node| sum ^ node.next)
    }

    /// Initializes the node of a handle slot, in no list.
    pub(crate) fn reset(&mut self, slot: u32) {
        debug_assert!(slot < ANCHOR);
        while self.handles.len() <= slot as usize {
            self.handles.push(Slot::alone(self.handles.len() as u32));
        }
        self.handles[slot as usize] = Slot::alone(slot);
    }

    /// Makes `count` empty lists with consecutive anchors and returns the first anchor.
    pub(crate) fn new_anchors(&mut self, count: u32) -> Anchor {
        if let Some(at) = self.free.iter().position(|&(_, n)| n == count) {
            return self.free.swap_remove(at).0;
        }
        let first = self.anchors.len() as u32 | ANCHOR;
        // A guest has few blocks, and there may be many guests: allocate no spare capacity.
        self.anchors.reserve_exact(count as usize);
        for at in first..first + count {
            self.anchors.push(Node::alone(at));
        }
        Anchor(first)
    }

    /// Gives back the lists from `new_anchors(count)`. They must be empty.
    pub(crate) fn free_anchors(&mut self, first: Anchor, count: u32) {
        debug_assert!((0..count).all(|n| self.is_empty(first.nth(n))));
        self.free.push((first, count));
    }

    /// Returns whether a handle is in no list.
    pub(crate) fn is_alone(&self, slot: u32) -> bool {
        self.node(slot).next == slot
    }

    #[inline]
    pub(crate) fn is_empty(&self, list: Anchor) -> bool {
        self.ends(list).next == list.0
    }

    /// Returns the first handle of the list.
    #[inline]
    pub(crate) fn first(&self, list: Anchor) -> Option<u32> {
        let next = self.ends(list).next;
        (next != list.0).then_some(next)
    }

    /// Returns the handle after the node `at`, which is a handle of the list or its anchor.
    #[inline]
    pub(crate) fn after(&self, list: Anchor, at: u32) -> Option<u32> {
        let next = self.node(at).next;
        (next != list.0).then_some(next)
    }

    /// Returns the last handle of the list.
    pub(crate) fn last(&self, list: Anchor) -> Option<u32> {
        self.before(list, list.0)
    }

    /// Returns the handle before the node `at`, which is a handle of the list or its anchor.
    pub(crate) fn before(&self, list: Anchor, at: u32) -> Option<u32> {
        let prev = self.node(at).prev;
        (prev != list.0).then_some(prev)
    }

    /// Iterates over the handles of the list from front to back.
    pub(crate) fn iter(&self, list: Anchor) -> impl Iterator<Item = u32> {
        std::iter::successors(self.first(list), move |&at| self.after(list, at))
    }

    pub(crate) fn push_front(&mut self, list: Anchor, slot: u32) {
        let next = self.ends(list).next;
        self.link_between(list.0, slot, next);
    }

    pub(crate) fn push_back(&mut self, list: Anchor, slot: u32) {
        let prev = self.ends(list).prev;
        self.link_between(prev, slot, list.0);
    }

    /// Inserts a handle after the node `at`, which is a handle or an anchor.
    pub(crate) fn insert_after(&mut self, at: u32, slot: u32) {
        let next = self.node(at).next;
        self.link_between(at, slot, next);
    }

    /// Removes the handle from its list, if it is in one.
    #[inline]
    pub(crate) fn unlink(&mut self, slot: u32) {
        let Node { prev, next } = *self.node(slot);
        self.node_mut(prev).next = next;
        self.node_mut(next).prev = prev;
        let node = self.node_mut(slot);
        (node.prev, node.next) = (slot, slot);
    }

    /// Removes and returns the first handle of the list.
    #[inline]
    pub(crate) fn pop_front(&mut self, list: Anchor) -> Option<u32> {
        let slot = self.first(list)?;
        self.unlink(slot);
        Some(slot)
    }

    /// Removes handles from the front of the list while they match `slots`. Returns how many.
    #[inline]
    pub(crate) fn pop_these(&mut self, list: Anchor, slots: impl Iterator<Item = u32>) -> usize {
        let (mut at, mut count) = (self.node(list.0).next, 0);
        for slot in slots {
            if slot != at {
                break;
            }
            let node = self.node_mut(slot);
            at = node.next;
            (node.prev, node.next) = (slot, slot);
            count += 1;
        }
        self.node_mut(list.0).next = at;
        self.node_mut(at).prev = list.0;
        count
    }

    /// Moves the first handle of `from` to the back of `to` and returns it.
    #[inline]
    pub(crate) fn rotate(&mut self, from: Anchor, to: Anchor) -> Option<u32> {
        let slot = self.first(from)?;
        let next = self.node(slot).next;
        self.ends_mut(from).next = next;
        self.node_mut(next).prev = from.0;
        let last = std::mem::replace(&mut self.ends_mut(to).prev, slot);
        *self.node_mut(slot) = Node { prev: last, next: to.0 };
        self.node_mut(last).next = slot;
        Some(slot)
    }

    /// Moves all handles of `from` in order to `to`, which must be empty. Returns whether there
    /// are any.
    ///
    /// `append` gives the same result and is slower by some nanoseconds. Every phase of an
    /// iteration begins with this call.
    #[inline]
    pub(crate) fn move_all(&mut self, from: Anchor, to: Anchor) -> bool {
        debug_assert!(self.is_empty(to));
        let Some(next) = self.first(from) else {
            return false;
        };
        let prev = std::mem::replace(self.ends_mut(from), Node::alone(from.0)).prev;
        *self.ends_mut(to) = Node { prev, next };
        self.node_mut(prev).next = to.0;
        self.node_mut(next).prev = to.0;
        true
    }

    /// Moves all handles of `from` in order to the back of `to`.
    pub(crate) fn append(&mut self, from: Anchor, to: Anchor) {
        let Some(first) = self.first(from) else {
            return;
        };
        let last = std::mem::replace(self.ends_mut(from), Node::alone(from.0)).prev;
        let before = std::mem::replace(&mut self.ends_mut(to).prev, last);
        self.node_mut(before).next = first;
        self.node_mut(first).prev = before;
        self.node_mut(last).next = to.0;
    }

    pub(crate) fn deadline(&self, slot: u32) -> u64 {
        self.handles[slot as usize].deadline
    }

    pub(crate) fn set_deadline(&mut self, slot: u32, deadline: u64) {
        self.handles[slot as usize].deadline = deadline;
    }

    #[inline]
    fn link_between(&mut self, prev: u32, slot: u32, next: u32) {
        debug_assert!(self.is_alone(slot), "the handle is still in a list");
        let node = self.node_mut(slot);
        (node.prev, node.next) = (prev, next);
        self.node_mut(prev).next = slot;
        self.node_mut(next).prev = slot;
    }

    /// Returns the ends of a list: the node of its anchor. Faster than `node`.
    #[inline]
    fn ends(&self, list: Anchor) -> &Node {
        &self.anchors[(list.0 ^ ANCHOR) as usize]
    }

    #[inline]
    fn ends_mut(&mut self, list: Anchor) -> &mut Node {
        &mut self.anchors[(list.0 ^ ANCHOR) as usize]
    }

    #[inline]
    fn node(&self, at: u32) -> &Node {
        match at & ANCHOR {
            0 => &self.handles[at as usize].node,
            _ => &self.anchors[(at ^ ANCHOR) as usize],
        }
    }

    #[inline]
    fn node_mut(&mut self, at: u32) -> &mut Node {
        match at & ANCHOR {
            0 => &mut self.handles[at as usize].node,
            _ => &mut self.anchors[(at ^ ANCHOR) as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links_with(slots: u32) -> (Links, Anchor, Anchor) {
        let mut links = Links::default();
        (0..slots).for_each(|slot| links.reset(slot));
        let first = links.new_anchors(2);
        (links, first, first.nth(1))
    }

    #[test]
    fn members_keep_their_order() {
        let (mut links, list, _) = links_with(4);
        links.push_back(list, 1);
        links.push_back(list, 2);
        links.push_front(list, 0);
        assert_eq!(links.iter(list).collect::<Vec<_>>(), [0, 1, 2]);
        links.unlink(1);
        links.unlink(1);
        assert_eq!(links.iter(list).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(links.pop_front(list), Some(0));
        assert_eq!(links.pop_front(list), Some(2));
        assert_eq!(links.pop_front(list), None);
    }

    #[test]
    fn rotate_moves_the_first_member_to_the_back_of_another_list_or_its_own() {
        let (mut links, from, to) = links_with(3);
        assert_eq!(links.rotate(from, to), None);
        (0..3).for_each(|slot| links.push_back(from, slot));
        assert_eq!(
            [links.rotate(from, to), links.rotate(from, to), links.rotate(from, from)],
            [Some(0), Some(1), Some(2)]
        );
        let members = |list| links.iter(list).collect::<Vec<_>>();
        assert_eq!((members(from), members(to)), (vec![2], vec![0, 1]));
    }

    #[test]
    fn pop_these_stops_at_the_first_mismatch() {
        let (mut links, list, _) = links_with(5);
        assert_eq!(links.pop_these(list, [0].into_iter()), 0);
        for (expected, taken) in
            [(&[][..], 0), (&[1], 0), (&[0], 1), (&[0, 1, 3], 2), (&[0, 1, 2], 3), (&[0, 1, 2, 4], 3)]
        {
            (0..3).for_each(|slot| links.push_back(list, slot));
            assert_eq!(links.pop_these(list, expected.iter().copied()), taken as usize);
            assert_eq!(links.iter(list).collect::<Vec<_>>(), (taken..3).collect::<Vec<_>>());
            assert_eq!(links.first(list).map(|first| links.before(list, first)), (taken < 3).then_some(None));
            // The slots that were removed are in no list.
            (0..3).for_each(|slot| links.unlink(slot));
            assert!(links.is_empty(list));
        }
    }

    #[test]
    fn move_all_and_append_keep_the_order() {
        let (mut links, from, to) = links_with(3);
        links.move_all(from, to);
        assert!(links.is_empty(to));
        (0..3).for_each(|slot| links.push_back(from, slot));
        links.move_all(from, to);
        assert!(links.is_empty(from));
        links.unlink(1);
        assert_eq!(links.iter(to).collect::<Vec<_>>(), [0, 2]);
        links.push_back(from, 1);
        links.append(from, to);
        assert_eq!(links.iter(to).collect::<Vec<_>>(), [0, 2, 1]);
        assert_eq!((links.last(to), links.first(from)), (Some(1), None));
    }

    #[test]
    fn anchors_are_reused() {
        let (mut links, _, _) = links_with(0);
        let block = links.new_anchors(64);
        links.free_anchors(block, 64);
        assert_eq!(links.new_anchors(64), block);
    }
}
