//! Timers' resources that are made ahead and used again, so that neither making nor dropping a timer is a call.
//!
//! In a plugin there are none: what is done to a timer reaches the host at once, because no call need follow.

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::{Rc, Weak};

use crate::batch::{self, Synced};
use crate::bindings::uv::handles::batch::Reserve;
use crate::bindings::uv::handles::event_loop::Loop as RawLoop;
use crate::bindings::uv::handles::timer::Timer as RawTimer;
use crate::error::{Error, Result};
use crate::event_loop::Loop;
use crate::handle::Held;
use crate::status::StatusCode;

/// How many are made at once, at most.
const MOST: u32 = 256;

thread_local! {
    /// The host has said that this is a plugin.
    static REFUSED: Cell<bool> = const { Cell::new(false) };
    /// The right to change those of all loops by numbers. Not a `Synced`: making timers reaches for their loop first.
    static SHARED: RefCell<Option<Reserve>> = const { RefCell::new(None) };
    /// The stocks of all loops.
    static ALL: RefCell<Vec<Weak<Stock>>> = const { RefCell::new(Vec::new()) };
}

/// The timers that a loop has ahead: closed ones.
pub(crate) struct Stock {
    timers: RefCell<Vec<Ahead>>,
    /// How many to make when there is none left.
    next: Cell<u32>,
}

/// A timer that is made ahead, and its number in changes.
type Ahead = (Synced<RawTimer>, u32);

impl Stock {
    pub(crate) fn new() -> Rc<Self> {
        let stock = Rc::new(Self { timers: RefCell::default(), next: Cell::new(1) });
        ALL.with_borrow_mut(|all| {
            all.retain(|stock| stock.strong_count() > 0);
            all.push(Rc::downgrade(&stock));
        });
        stock
    }

    /// A closed timer of the loop with its number, or none if there is no such thing here.
    pub(crate) fn take(&self, event_loop: &Synced<RawLoop>) -> Result<Option<(HeldTimer, u32)>> {
        if REFUSED.get() {
            return Ok(None);
        }
        let held = |(timer, number)| (HeldTimer::Reserved(timer, number), number);
        let ahead = self.timers.borrow_mut().pop();
        if ahead.is_some() {
            return Ok(ahead.map(held));
        }
        match self.make_some(event_loop) {
            Ok(()) => Ok(self.timers.borrow_mut().pop().map(held)),
            Err(Error::Status(StatusCode::ENOTSUP)) => {
                refuse();
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    #[cold]
    fn make_some(&self, event_loop: &Synced<RawLoop>) -> Result<()> {
        let count = self.next.get();
        let made = freeing_if_full(|| make(event_loop, count))?;
        let made = made.into_iter().rev().map(|(timer, number)| (Synced::new(timer), number));
        self.timers.borrow_mut().extend(made);
        self.next.set((count * 2).min(MOST));
        Ok(())
    }
}

fn make(event_loop: &RawLoop, count: u32) -> Result<Vec<(RawTimer, u32)>> {
    SHARED.with_borrow_mut(|shared| {
        let reserve = match shared {
            Some(reserve) => reserve,
            None => shared.insert(Reserve::create()?),
        };
        Ok(reserve.make(event_loop, count)?)
    })
}

/// Does something with what the numbers of timers belong to.
pub(crate) fn with_shared<R>(f: impl FnOnce(Option<&Reserve>) -> R) -> R {
    SHARED.with_borrow(|shared| f(shared.as_ref()))
}

/// From now on everything reaches the host at once.
pub(crate) fn refuse() {
    REFUSED.set(true);
    batch::sync();
    drop(SHARED.take());
}

/// Does it again without stocks, if the guest has as many handles as it may have.
pub(crate) fn freeing_if_full<T>(make: impl Fn() -> Result<T>) -> Result<T> {
    match make() {
        Err(Error::Status(StatusCode::ENOMEM)) if free_all() => make(),
        made => made,
    }
}

/// Drops all stocks. Answers whether there were any.
fn free_all() -> bool {
    let stocks: Vec<_> = ALL.with_borrow(|all| all.iter().filter_map(Weak::upgrade).collect());
    let timers: Vec<_> = stocks.iter().flat_map(|stock| stock.timers.take()).collect();
    !timers.is_empty()
}

/// The resource of a timer.
pub(crate) enum HeldTimer {
    /// The timer's alone.
    Own(Synced<RawTimer>),
    /// To be used again: it goes to the stock of its loop when its timer, which is closed then, is dropped. With its number.
    Reserved(Synced<RawTimer>, u32),
    /// It has gone there.
    GivenBack,
}

impl HeldTimer {
    /// Its number, if what is done to it may be put off.
    pub(crate) fn number(&self) -> Option<u32> {
        match self {
            Self::Reserved(_, number) if !REFUSED.get() => Some(*number),
            _ => None,
        }
    }

    fn resource(&self) -> &Synced<RawTimer> {
        match self {
            Self::Own(timer) | Self::Reserved(timer, _) => timer,
            Self::GivenBack => unreachable!("nobody has the timer any more"),
        }
    }
}

impl Held for HeldTimer {
    fn is_reserved(&self) -> bool {
        self.number().is_some()
    }

    fn give_back(&mut self, event_loop: &Loop) {
        if self.is_reserved()
            && let Self::Reserved(timer, number) = std::mem::replace(self, Self::GivenBack)
        {
            event_loop.stock().timers.borrow_mut().push((timer, number));
        }
    }
}

impl From<RawTimer> for HeldTimer {
    fn from(timer: RawTimer) -> Self {
        Self::Own(Synced::new(timer))
    }
}

impl Deref for HeldTimer {
    type Target = RawTimer;

    fn deref(&self) -> &RawTimer {
        self.resource()
    }
}
