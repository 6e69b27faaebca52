//! From tokens to handles: how an event finds its closure.
//!
//! A handle is registered from its making until its close callback has run. That is what keeps a
//! handle alive in its loop after the last Rust value of it has been dropped. There is one registry
//! for all loops, so that an event can be dispatched with no loop at hand, as a plugin has to.
//!
//! A token is a slot's index in the lower half and the slot's generation in the upper half, so an
//! event for a handle that is gone can never reach the slot's next owner.

use std::cell::RefCell;

use crate::Result;
use crate::any_handle::AnyHandle;
use crate::batch;
use crate::bindings::uv::handles::types::{Event, Occurrence, Token};
use crate::handle::sealed::Sealed;
use crate::poll_events::PollEvents;
use crate::signum::Signum;
use crate::status::StatusCode;

thread_local! {
    static HANDLES: RefCell<Slab<AnyHandle>> = const { RefCell::new(Slab::new()) };
}

/// Registers the handle that `make` makes for a token. If it fails, the token is given back.
pub(crate) fn register<H: Clone + Into<AnyHandle>>(make: impl FnOnce(Token) -> Result<H>) -> Result<H> {
    let token = HANDLES.with_borrow_mut(Slab::reserve);
    let made = make(token);
    HANDLES.with_borrow_mut(|handles| match &made {
        Ok(handle) => handles.fill(token, handle.clone().into()),
        Err(_) => drop(handles.remove(token)),
    });
    made
}

/// The handle with this token, unless it is closed.
pub(crate) fn lookup(token: Token) -> Option<AnyHandle> {
    HANDLES.with_borrow(|handles| handles.get(token).cloned())
}

/// Calls the callback that an event is for.
///
/// [`Loop::run`](crate::Loop::run) passes every event of a pull to it; a plugin passes those that
/// its export `dispatch` receives. An event for a handle that is gone does nothing.
#[doc(hidden)]
pub fn dispatch(event: Event) {
    // This value keeps the handle alive for as long as its callback runs.
    let Some(handle) = lookup(event.token) else {
        return;
    };
    match (event.what, &handle) {
        (Occurrence::Callback, AnyHandle::Timer(h)) => h.0.callback.call(|f| f(h)),
        (Occurrence::Callback, AnyHandle::Idle(h)) => h.0.callback.call(|f| f(h)),
        (Occurrence::Callback, AnyHandle::Prepare(h)) => h.0.callback.call(|f| f(h)),
        (Occurrence::Callback, AnyHandle::Check(h)) => h.0.callback.call(|f| f(h)),
        (Occurrence::Callback, AnyHandle::Async(h)) => h.0.callback.call(|f| f(h)),
        (Occurrence::Poll(ready), AnyHandle::Poll(h)) => {
            let ready = ready.map(PollEvents::from_raw).map_err(StatusCode::from);
            h.0.callback.call(|f| f(h, ready));
        }
        (Occurrence::Signal(signum), AnyHandle::Signal(h)) => {
            h.0.callback.call(|f| f(h, Signum::new(signum)));
        }
        (Occurrence::Closed, _) => {
            handle.common().call_on_closed(&handle);
            // Only now: inside its close callback a handle is closing, not closed.
            handle.common().set_closed();
            handle.retire_callback();
            // Dropped outside of the borrow, as everything that can run code of the user.
            let registered = HANDLES.with_borrow_mut(|handles| handles.remove(event.token));
            drop(registered);
            batch::drop_closed(handle);
        }
        // A callback of another kind than the handle's: the token is the handle's, so the host is
        // wrong, and there is nobody to tell.
        _ => {}
    }
}

/// Values by token, in slots that are used again.
struct Slab<T> {
    slots: Vec<Slot<T>>,
    /// The vacant slot to use next, the head of a list through all vacant slots.
    next: Option<u32>,
}

struct Slot<T> {
    generation: u32,
    content: Content<T>,
}

enum Content<T> {
    Vacant { next: Option<u32> },
    Reserved,
    Filled(T),
}

impl<T> Slab<T> {
    const fn new() -> Self {
        Self { slots: Vec::new(), next: None }
    }

    /// A token for a value that does not exist yet; `fill` or `remove` it.
    fn reserve(&mut self) -> Token {
        if let Some(index) = self.next {
            let slot = &mut self.slots[index as usize];
            if let Content::Vacant { next } = slot.content {
                self.next = next;
            }
            slot.content = Content::Reserved;
            return token(index, slot.generation);
        }
        let index = u32::try_from(self.slots.len()).expect("the memory ends long before");
        self.slots.push(Slot { generation: 0, content: Content::Reserved });
        token(index, 0)
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
                _ => None,
            },
            _ => None,
        }
    }

    /// Ends the life of a token and gives its value back, so that it is dropped outside.
    fn remove(&mut self, token: Token) -> Option<T> {
        let (index, _) = parts(token);
        let next = self.next;
        let slot = self.slot(token)?;
        let content = std::mem::replace(&mut slot.content, Content::Vacant { next });
        if let Some(generation) = slot.generation.checked_add(1) {
            slot.generation = generation;
            self.next = Some(index);
        }
        // A slot that has used up its generations stays vacant and out of the list: for ever.
        match content {
            Content::Filled(value) => Some(value),
            _ => None,
        }
    }

    /// The slot of a token that is reserved or filled.
    fn slot(&mut self, token: Token) -> Option<&mut Slot<T>> {
        let (index, generation) = parts(token);
        self.slots
            .get_mut(index as usize)
            .filter(|slot| slot.generation == generation && !matches!(slot.content, Content::Vacant { .. }))
    }
}

fn token(index: u32, generation: u32) -> Token {
    u64::from(generation) << 32 | u64::from(index)
}

fn parts(token: Token) -> (u32, u32) {
    (token as u32, (token >> 32) as u32)
}

#[cfg(test)]
mod tests {
    use super::{Slab, parts};

    fn insert(slab: &mut Slab<&'static str>, value: &'static str) -> u64 {
        let token = slab.reserve();
        slab.fill(token, value);
        token
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
    fn a_slot_without_generations_left_is_not_used_again() {
        let mut slab = Slab::new();
        let first = insert(&mut slab, "first");
        slab.remove(first);
        slab.slots[0].generation = u32::MAX;
        let last = insert(&mut slab, "last");
        assert_eq!(parts(last), (0, u32::MAX));
        assert_eq!(slab.remove(last), Some("last"));
        assert_eq!(slab.remove(last), None);
        let other = insert(&mut slab, "other");
        assert_eq!(parts(other), (1, 0));
        assert_eq!((slab.get(last), slab.get(first)), (None, None));
    }
}
