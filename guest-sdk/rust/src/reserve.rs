//! Timers' resources that are made ahead and used again, so that neither making nor dropping a timer is a call.
//!
//! In a plugin there are none: what is done to a timer reaches the host at once, because no call need follow.

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::{Rc, Weak};

use crate::batch::{self, Synced};
use crate::bindings::uv::handles::batch::reserve;
use crate::bindings::uv::handles::event_loop::Loop as RawLoop;
use crate::bindings::uv::handles::timer::Timer as RawTimer;
use crate::error::{Error, Result};
use crate::status::StatusCode;

/// How many are made at once, at most.
const MOST: u32 = 256;

thread_local! {
    /// The host has said that this is a plugin.
    static REFUSED: Cell<bool> = const { Cell::new(false) };
    /// Those of all loops.
    static ALL: RefCell<Vec<Weak<Reserve>>> = const { RefCell::new(Vec::new()) };
}

/// The timers that a loop has ahead: closed ones.
pub(crate) struct Reserve {
    timers: RefCell<Vec<Synced<RawTimer>>>,
    /// How many to make when there is none left.
    next: Cell<u32>,
}

impl Reserve {
    pub(crate) fn new() -> Rc<Self> {
        let reserve = Rc::new(Self { timers: RefCell::default(), next: Cell::new(1) });
        ALL.with_borrow_mut(|all| {
            all.retain(|reserve| reserve.strong_count() > 0);
            all.push(Rc::downgrade(&reserve));
        });
        reserve
    }

    /// A closed timer of the loop, or none if there is no such thing here.
    pub(crate) fn take(self: &Rc<Self>, event_loop: &Synced<RawLoop>) -> Result<Option<HeldTimer>> {
        if REFUSED.get() {
            return Ok(None);
        }
        if self.timers.borrow().is_empty() {
            let count = self.next.get();
            match freeing_if_full(|| Ok(reserve(event_loop, count)?)) {
                Ok(made) => {
                    self.timers.borrow_mut().extend(made.into_iter().rev().map(Synced::new));
                    self.next.set((count * 2).min(MOST));
                }
                Err(Error::Status(StatusCode::ENOTSUP)) => {
                    refuse();
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        let timer = self.timers.borrow_mut().pop();
        Ok(timer.map(|timer| HeldTimer { timer: Some(timer), reserve: Some(self.clone()) }))
    }
}

/// From now on everything reaches the host at once.
pub(crate) fn refuse() {
    REFUSED.set(true);
    batch::sync();
}

/// Does it again without reserves, if the guest has as many handles as it may have.
pub(crate) fn freeing_if_full<T>(make: impl Fn() -> Result<T>) -> Result<T> {
    match make() {
        Err(Error::Status(StatusCode::ENOMEM)) if free_all() => make(),
        made => made,
    }
}

/// Drops all reserves. Answers whether there were any.
fn free_all() -> bool {
    let reserves: Vec<_> = ALL.with_borrow(|all| all.iter().filter_map(Weak::upgrade).collect());
    let timers: Vec<_> = reserves.iter().flat_map(|reserve| reserve.timers.take()).collect();
    !timers.is_empty()
}

/// The resource of a timer. It goes to the reserve when its timer, which is closed then, is dropped.
pub(crate) struct HeldTimer {
    /// Always there before the drop.
    timer: Option<Synced<RawTimer>>,
    reserve: Option<Rc<Reserve>>,
}

impl HeldTimer {
    /// Whether what is done to it may be put off.
    pub(crate) fn puts_off(&self) -> bool {
        self.reserve.is_some() && !REFUSED.get()
    }

    pub(crate) fn resource(&self) -> &Synced<RawTimer> {
        self.timer.as_ref().expect("it is there before the drop")
    }
}

impl From<RawTimer> for HeldTimer {
    fn from(timer: RawTimer) -> Self {
        Self { timer: Some(Synced::new(timer)), reserve: None }
    }
}

impl Deref for HeldTimer {
    type Target = RawTimer;

    fn deref(&self) -> &RawTimer {
        self.resource()
    }
}

impl Drop for HeldTimer {
    fn drop(&mut self) {
        if self.puts_off()
            && let (Some(timer), Some(reserve)) = (self.timer.take(), &self.reserve)
        {
            reserve.timers.borrow_mut().push(timer);
        }
    }
}
