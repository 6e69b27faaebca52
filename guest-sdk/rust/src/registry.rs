//! The registry finds the handle of an event by its token.
//!
//! A handle is registered from its making until its close callback, and the registry keeps it alive
//! after the last Rust value of it has been dropped. There is one registry for all loops, so that
//! an event can be dispatched without knowing its loop, as in a plugin.
//!
//! A token consists of the index and the generation of a slot, so that an event for a handle that
//! is gone cannot reach the slot's next owner.

use std::any::Any;
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::rc::Rc;

use crate::Result;
use crate::event_loop::Loop;
use crate::handle::Common;
use crate::imports::types::{Event, EventKind, Token};

/// A registered handle, of any kind.
///
/// The registry does not name the kinds, so that a program imports the interfaces of only those
/// that it uses.
pub trait Registered: Any {
    /// Calls the callback for this kind of event. An event of another kind than the handle's does
    /// nothing: the host sends none.
    fn call(self: Rc<Self>, kind: EventKind);

    /// The part that does not depend on the kind.
    fn common(&self) -> &Common;

    /// The name of the kind.
    fn kind(&self) -> &'static str;

    /// Calls the close callback and drops this value, which was the registry's.
    fn finish_closing(self: Rc<Self>);
}

thread_local! {
    /// Never dropped: the handles that it keeps alive use other thread-local variables.
    static HANDLES: RefCell<ManuallyDrop<Slab<Rc<dyn Registered>>>> =
        const { RefCell::new(ManuallyDrop::new(Slab::new())) };
}

/// Registers the handle that `make` makes for a token. If that fails, the token is given back.
pub(crate) fn register<H: Clone + Into<Rc<dyn Registered>>>(
    make: impl FnOnce(Token) -> Result<H>,
) -> Result<H> {
    let token = HANDLES.with_borrow_mut(|handles| handles.reserve());
    let made = make(token);
    HANDLES.with_borrow_mut(|handles| match &made {
        Ok(handle) => handles.fill(token, handle.clone().into()),
        Err(_) => drop(handles.remove(token)),
    });
    made
}

/// Registers a handle that is made without a call of the host, and returns its token too.
pub(crate) fn register_at_once<H: Clone + Into<Rc<dyn Registered>>>(
    make: impl FnOnce(Token) -> H,
) -> (H, Token) {
    HANDLES.with_borrow_mut(|handles| {
        handles.insert(|token| {
            let handle = make(token);
            (handle.clone().into(), (handle, token))
        })
    })
}

/// The token of the handle in this slot.
pub(crate) fn token_of(slot: u32) -> Token {
    HANDLES.with_borrow(|handles| handles.token(slot))
}

/// The slot of a handle with this token.
pub(crate) fn slot_of(token: Token) -> u32 {
    parts(token).0
}

/// The handle with this token, unless its close callback has begun.
#[inline]
pub(crate) fn lookup(token: Token) -> Option<Rc<dyn Registered>> {
    HANDLES.with_borrow(|handles| handles.get(token).cloned())
}

/// Touches all handles that are about to be called, before the first call. Handles that are in no
/// cache are then fetched in parallel, where the calls would fetch them one after the other.
/// Handles that were made one after the other need no help: the processor prefetches them.
#[inline]
pub(crate) fn warm(tokens: impl ExactSizeIterator<Item = Token> + Clone) {
    if tokens.len() < FEW || are_adjacent(tokens.clone()) {
        return;
    }
    let touched = HANDLES.with_borrow(|handles| {
        let counts = tokens.map(|token| handles.get(token).map_or(0, Rc::strong_count));
        counts.fold(0, usize::wrapping_add)
    });
    // The sum has no use. This keeps the compiler from removing the reads.
    std::hint::black_box(touched);
}

/// Calls the callback that an event is for.
///
/// A run passes every event to it, and so does the export `dispatch` of a plugin. An event for a
/// handle that is gone does nothing.
// Inlined because the events of a batch are of one kind, which the caller knows: nothing is left of
// the match.
#[doc(hidden)]
#[inline(always)]
pub fn dispatch(event: Event) {
    match event.kind {
        // The handle needs no token in its close callback.
        EventKind::Closed => {
            if let Some(handle) = HANDLES.with_borrow_mut(|handles| handles.remove(event.token)) {
                let _calling = calling(&*handle);
                handle.finish_closing();
            }
        }
        kind => {
            if let Some(handle) = lookup(event.token) {
                let _calling = calling(&*handle);
                handle.call(kind);
            }
        }
    }
}

/// While the value lives, a callback of this handle runs, for tasks that it spawns.
#[inline(always)]
fn calling(handle: &dyn Registered) -> impl Sized + use<> {
    #[cfg(feature = "async")]
    return crate::task::calling(|| handle.common().event_loop().clone());
    #[cfg(not(feature = "async"))]
    let _ = handle;
}

/// The handles of a loop, in order of their slots.
pub(crate) fn handles_of(event_loop: &Loop) -> Vec<Rc<dyn Registered>> {
    HANDLES.with_borrow(|handles| {
        let all = handles.values().filter(|handle| handle.common().event_loop() == event_loop);
        all.cloned().collect()
    })
}

/// Whether these handles are adjacent in the registry, judged by the first and the last.
fn are_adjacent(tokens: impl ExactSizeIterator<Item = Token> + Clone) -> bool {
    let places = tokens.map(|token| parts(token).0 as usize);
    let (first, last) = (places.clone().next(), places.clone().nth(places.len().saturating_sub(1)));
    first.zip(last).is_some_and(|(first, last)| first.abs_diff(last) < places.len())
}

/// For fewer handles than this, touching them costs more than it saves.
const FEW: usize = 4;

/// Values by token, in slots that are reused.
struct Slab<T> {
    slots: Vec<Slot<T>>,
    /// The head of the list of vacant slots, or `LAST`.
    next: u32,
}

struct Slot<T> {
    generation: u32,
    content: Content<T>,
}

/// Two cases only, so that the discriminant fits into the niche of a reference-counted value.
enum Content<T> {
    /// The next vacant slot in the list, `LAST` or `RESERVED`.
    Empty(u32),
    Filled(T),
}

/// The end of the list of vacant slots.
const LAST: u32 = u32::MAX;

/// The slot is not vacant: its token has been given out.
const RESERVED: u32 = u32::MAX - 1;

impl<T> Slab<T> {
    const fn new() -> Self {
        Self { slots: Vec::new(), next: LAST }
    }

    /// A token for a value that does not exist yet; `fill` or `remove` it.
    fn reserve(&mut self) -> Token {
        let index = self.next;
        if let Some(slot) = self.slots.get_mut(index as usize) {
            if let Content::Empty(next) = std::mem::replace(&mut slot.content, Content::Empty(RESERVED)) {
                self.next = next;
            }
            return token(index, slot.generation);
        }
        let index = self.new_index();
        self.slots.push(Slot { generation: 0, content: Content::Empty(RESERVED) });
        token(index, 0)
    }

    /// Inserts a value that is made for its token, and returns the rest of what `make` made.
    fn insert<R>(&mut self, make: impl FnOnce(Token) -> (T, R)) -> R {
        let index = self.next;
        match self.slots.get_mut(index as usize) {
            Some(slot) => {
                let (value, result) = make(token(index, slot.generation));
                if let Content::Empty(next) = std::mem::replace(&mut slot.content, Content::Filled(value)) {
                    self.next = next;
                }
                result
            }
            None => {
                let (value, result) = make(token(self.new_index(), 0));
                self.slots.push(Slot { generation: 0, content: Content::Filled(value) });
                result
            }
        }
    }

    /// The index of a slot that is pushed next.
    fn new_index(&mut self) -> u32 {
        if self.slots.capacity() == 0 {
            // Many plugins have one handle, and there may be many plugins.
            self.slots.reserve_exact(1);
        }
        u32::try_from(self.slots.len()).expect("the memory holds fewer slots")
    }

    /// The token of a slot's owner.
    fn token(&self, index: u32) -> Token {
        token(index, self.slots.get(index as usize).map_or(0, |slot| slot.generation))
    }

    fn values(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| match &slot.content {
            Content::Filled(value) => Some(value),
            Content::Empty(_) => None,
        })
    }

    fn fill(&mut self, token: Token, value: T) {
        if let Some(slot) = self.slot(token) {
            slot.content = Content::Filled(value);
        }
    }

    fn get(&self, token: Token) -> Option<&T> {
        let (index, generation) = parts(token);
        match self.slots.get(index as usize) {
            Some(slot) if slot.generation == generation => match &slot.content {
                Content::Filled(value) => Some(value),
                Content::Empty(_) => None,
            },
            _ => None,
        }
    }

    /// Ends the life of a token and returns its value, so that it is dropped outside of all
    /// borrows.
    fn remove(&mut self, token: Token) -> Option<T> {
        let (index, _) = parts(token);
        let next = self.next;
        let slot = self.slot(token)?;
        let content = std::mem::replace(&mut slot.content, Content::Empty(next));
        slot.generation = (slot.generation + 1) % GENERATIONS;
        self.next = index;
        match content {
            Content::Filled(value) => Some(value),
            Content::Empty(_) => None,
        }
    }

    /// The slot of a token that is reserved or filled.
    fn slot(&mut self, token: Token) -> Option<&mut Slot<T>> {
        let (index, generation) = parts(token);
        self.slots.get_mut(index as usize).filter(|slot| {
            let is_given_out = matches!(slot.content, Content::Filled(_) | Content::Empty(RESERVED));
            slot.generation == generation && is_given_out
        })
    }
}

/// The bits of a token that hold the lower part of the index. The generation follows, and then the
/// rest of the index. So tokens fit into the short form of `next` until there are a million handles
/// at once.
const INDEX_BITS: u32 = 20;

/// After so many owners of a slot its first token is used again. It is not 2^12, because a token of
/// 32 bits that are all set does not fit into the short form of `next`.
const GENERATIONS: u32 = (1 << (u32::BITS - INDEX_BITS)) - 1;

fn token(index: u32, generation: u32) -> Token {
    let lower = (index % (1 << INDEX_BITS)) | (generation << INDEX_BITS);
    u64::from(index >> INDEX_BITS) << 32 | u64::from(lower)
}

/// The index and the generation. Those of a number that is no token belong to no slot.
fn parts(token: Token) -> (u32, u32) {
    let (lower, upper) = (token as u32, (token >> 32) as u32);
    ((upper << INDEX_BITS) | (lower % (1 << INDEX_BITS)), lower >> INDEX_BITS)
}

#[cfg(test)]
mod tests {
    use super::{GENERATIONS, INDEX_BITS, Registered, Slab, Slot, are_adjacent, parts, token};
    use crate::batch::is_short;
    use std::rc::Rc;

    fn insert(slab: &mut Slab<&'static str>, value: &'static str) -> u64 {
        let token = slab.reserve();
        slab.fill(token, value);
        token
    }

    #[test]
    fn insert_equals_reserve_and_fill() {
        let [mut slab, mut other] = [Slab::new(), Slab::new()];
        let mut tokens = Vec::new();
        for round in 0..3 {
            for value in ["a", "b"] {
                let token = insert(&mut slab, value);
                assert_eq!(other.insert(|own| (value, own)), token);
                assert_eq!(other.get(token), Some(&value));
                tokens.push(token);
            }
            // Then one slot is vacant, then two.
            for token in tokens.drain(..=round % 2) {
                assert_eq!(slab.remove(token), other.remove(token));
            }
        }
    }

    #[test]
    fn a_token_finds_its_value() {
        let mut slab = Slab::new();
        let (a, b) = (insert(&mut slab, "a"), insert(&mut slab, "b"));
        assert_eq!((slab.get(a), slab.get(b)), (Some(&"a"), Some(&"b")));
        assert_eq!(slab.get(b + 1), None);
        assert_eq!(slab.get(u64::MAX), None);
    }

    #[test]
    fn a_token_never_finds_the_next_owner_of_its_slot() {
        let mut slab = Slab::new();
        let old = insert(&mut slab, "old");
        assert_eq!(slab.remove(old), Some("old"));
        let new = insert(&mut slab, "new");
        assert_eq!(parts(old).0, parts(new).0);
        assert_ne!(old, new);
        assert_eq!((slab.get(old), slab.get(new)), (None, Some(&"new")));
        assert_eq!(slab.remove(old), None);
        assert_eq!(slab.remove(new), Some("new"));
    }

    #[test]
    fn slots_are_used_again() {
        let mut slab = Slab::new();
        let tokens = ["a", "b", "c"].map(|value| insert(&mut slab, value));
        for token in tokens {
            slab.remove(token);
        }
        for value in ["d", "e", "f"] {
            insert(&mut slab, value);
        }
        assert_eq!(slab.slots.len(), 3);
    }

    #[test]
    fn a_reserved_token_finds_nothing_and_can_be_given_back() {
        let mut slab = Slab::<&str>::new();
        let token = slab.reserve();
        assert_eq!(slab.get(token), None);
        assert_eq!(slab.remove(token), None);
        assert_ne!(slab.reserve(), token);
        assert_eq!(slab.slots.len(), 1);
    }

    #[test]
    fn a_slot_is_a_generation_and_a_value() {
        assert!(
            size_of::<Slot<Rc<dyn Registered>>>() <= size_of::<Rc<dyn Registered>>() + align_of::<usize>()
        );
    }

    #[test]
    fn many_owners_of_a_slot_have_short_tokens() {
        let mut slab = Slab::new();
        let mut tokens: Vec<u64> = Vec::new();
        for owner in 0..GENERATIONS {
            let token = insert(&mut slab, "owner");
            assert!(is_short(token) && !tokens.contains(&token));
            assert_eq!(parts(token), (0, owner));
            assert_eq!(slab.remove(token), Some("owner"));
            tokens.push(token);
        }
        assert_eq!(insert(&mut slab, "again"), tokens[0]);
    }

    #[test]
    fn adjacent_handles_are_known_by_the_first_and_the_last() {
        let tokens = |places: &[u32]| places.iter().map(|&place| token(place, 7)).collect::<Vec<_>>();
        for (places, adjacent) in [
            (&[3, 4, 5, 6][..], true),
            (&[6, 5, 4, 3], true),
            (&[3, 9, 1, 30], false),
            (&[5], true),
            (&[], false),
        ] {
            assert_eq!(are_adjacent(tokens(places).into_iter()), adjacent, "{places:?}");
        }
    }

    #[test]
    fn a_token_is_of_one_slot() {
        for index in
            [0, 1, (1 << INDEX_BITS) - 1, 1 << INDEX_BITS, 5 << INDEX_BITS | 3, u32::MAX - 1, u32::MAX]
        {
            for generation in [0, 1, GENERATIONS - 1] {
                assert_eq!(parts(token(index, generation)), (index, generation));
                assert_eq!(is_short(token(index, generation)), index < 1 << INDEX_BITS);
            }
        }
    }
}
