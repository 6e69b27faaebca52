//! From tokens to handles: how an event finds its closure.
//!
//! A handle is registered from its making until its close callback. That is what keeps a
//! handle alive in its loop after the last Rust value of it has been dropped. There is one registry
//! for all loops, so that an event can be dispatched with no loop at hand, as a plugin has to.
//!
//! A token is made of a slot's index and the slot's generation, so an event for a handle that is gone can
//! not reach the slot's next owner.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use crate::Result;
use crate::bindings::uv::handles::types::{Event, EventKind, Token};

/// What the registry knows of a handle, whatever its kind.
///
/// Nothing here names the kinds, so that a program does not import what the host has for those that it does not use.
pub trait Registered: Any {
    /// Calls the callback that this occurrence is for. Of another kind than the handle's there is none: the token is the
    /// handle's, so the host is wrong, and there is nobody to tell.
    fn call(self: Rc<Self>, kind: EventKind);

    /// Calls the close callback. After it the handle is closed, and the registry's value of it, which this is, is not
    /// needed any more.
    fn finish_closing(self: Rc<Self>);
}

thread_local! {
    static HANDLES: RefCell<Slab<Rc<dyn Registered>>> = const { RefCell::new(Slab::new()) };
}

/// Registers the handle that `make` makes for a token. If it fails, the token is given back.
pub(crate) fn register<H: Clone + Into<Rc<dyn Registered>>>(
    make: impl FnOnce(Token) -> Result<H>,
) -> Result<H> {
    let token = HANDLES.with_borrow_mut(Slab::reserve);
    let made = make(token);
    HANDLES.with_borrow_mut(|handles| match &made {
        Ok(handle) => handles.fill(token, handle.clone().into()),
        Err(_) => drop(handles.remove(token)),
    });
    made
}

/// The same for a handle that is made without calling anybody. Answers its token too.
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

/// Looks at handles that are about to be called, all at once: if they are in no cache, the processor fetches them side by
/// side, where it would fetch one after the other as they are called. Those that were made one after the other it
/// fetches ahead anyway.
#[inline]
pub(crate) fn warm(tokens: impl ExactSizeIterator<Item = Token> + Clone) {
    if tokens.len() < FEW || are_side_by_side(tokens.clone()) {
        return;
    }
    let touched = HANDLES.with_borrow(|handles| {
        let counts = tokens.map(|token| handles.get(token).map_or(0, Rc::strong_count));
        counts.fold(0, usize::wrapping_add)
    });
    // So that it is not left out: nobody wants to know.
    std::hint::black_box(touched);
}

/// Calls the callback that an event is for.
///
/// [`Loop::run`](crate::Loop::run) passes every event of a pull to it; a plugin passes those that
/// its export `dispatch` receives. An event for a handle that is gone does nothing.
// Those of a batch are of one kind, and whoever passes them on knows it: nothing is left of the match.
#[doc(hidden)]
#[inline(always)]
pub fn dispatch(event: Event) {
    match event.kind {
        // It needs no token in its close callback any more.
        EventKind::Closed => {
            if let Some(handle) = HANDLES.with_borrow_mut(|handles| handles.remove(event.token)) {
                handle.finish_closing();
            }
        }
        kind => {
            if let Some(handle) = lookup(event.token) {
                handle.call(kind);
            }
        }
    }
}

/// Whether these are the handles of one stretch of the registry, as far as its ends tell.
fn are_side_by_side(tokens: impl ExactSizeIterator<Item = Token> + Clone) -> bool {
    let places = tokens.map(|token| parts(token).0 as usize);
    let (first, last) = (places.clone().next(), places.clone().nth(places.len().saturating_sub(1)));
    first.zip(last).is_some_and(|(first, last)| first.abs_diff(last) < places.len())
}

/// So few are called sooner than looked at.
const FEW: usize = 4;

/// Values by token, in slots that are used again.
struct Slab<T> {
    slots: Vec<Slot<T>>,
    /// The vacant slot to use next, the head of a list through all vacant slots; or `LAST`.
    next: u32,
}

struct Slot<T> {
    generation: u32,
    content: Content<T>,
}

/// Two cases, so that a reference-counted value needs no room beside it.
enum Content<T> {
    /// The vacant slot to use after this one, or one of the two below.
    Empty(u32),
    Filled(T),
}

/// There is no other vacant slot.
const LAST: u32 = u32::MAX;

/// It is not vacant: its token has been given out.
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

    /// Takes a value in that is made for its token, and answers what else is made then.
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

    fn new_index(&self) -> u32 {
        u32::try_from(self.slots.len()).expect("the memory ends long before")
    }

    /// The token of a slot's owner.
    fn token(&self, index: u32) -> Token {
        token(index, self.slots.get(index as usize).map_or(0, |slot| slot.generation))
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

    /// Ends the life of a token and gives its value back, so that it is dropped outside.
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

/// How many bits of a token the lower part of the index has. The generation follows, and then the rest of the index:
/// only the tokens of a million handles at once have more than 32 bits, and are dearer to pull.
const INDEX_BITS: u32 = 20;

/// After so many owners of a slot its first token is used again. It is not 2^12, because the token of 32 bits that are
/// all set is not brought by a pull for callbacks alone.
const GENERATIONS: u32 = (1 << (u32::BITS - INDEX_BITS)) - 1;

fn token(index: u32, generation: u32) -> Token {
    let lower = (index % (1 << INDEX_BITS)) | (generation << INDEX_BITS);
    u64::from(index >> INDEX_BITS) << 32 | u64::from(lower)
}

/// The index and the generation. No slot has those of what is no token of ours.
fn parts(token: Token) -> (u32, u32) {
    let (lower, upper) = (token as u32, (token >> 32) as u32);
    ((upper << INDEX_BITS) | (lower % (1 << INDEX_BITS)), lower >> INDEX_BITS)
}

#[cfg(test)]
mod tests {
    use super::{GENERATIONS, INDEX_BITS, Registered, Slab, Slot, are_side_by_side, parts, token};
    use crate::batch::is_short;
    use std::rc::Rc;

    fn insert(slab: &mut Slab<&'static str>, value: &'static str) -> u64 {
        let token = slab.reserve();
        slab.fill(token, value);
        token
    }

    #[test]
    fn made_at_once_is_as_reserved_and_filled() {
        let [mut slab, mut other] = [Slab::new(), Slab::new()];
        let mut tokens = Vec::new();
        for round in 0..3 {
            for value in ["a", "b"] {
                let token = insert(&mut slab, value);
                assert_eq!(other.insert(|own| (value, own)), token);
                assert_eq!(other.get(token), Some(&value));
                tokens.push(token);
            }
            // One place is vacant and then none, and two are.
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
    fn many_owners_of_a_slot_have_tokens_of_32_bits_that_a_pull_brings() {
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
    fn a_stretch_of_the_registry_is_known_by_its_ends() {
        let tokens = |places: &[u32]| places.iter().map(|&place| token(place, 7)).collect::<Vec<_>>();
        for (places, side_by_side) in [
            (&[3, 4, 5, 6][..], true),
            (&[6, 5, 4, 3], true),
            (&[3, 9, 1, 30], false),
            (&[5], true),
            (&[], false),
        ] {
            assert_eq!(are_side_by_side(tokens(places).into_iter()), side_by_side, "{places:?}");
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
