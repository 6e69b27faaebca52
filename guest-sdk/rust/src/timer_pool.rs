//! Timers that are allocated ahead and reused, so that neither making nor dropping a timer is a
//! call.
//!
//! Only a loop that the guest runs has them. On a loop that the host runs, every change of a timer
//! has to reach the host at once, because no call need follow that could flush it.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::rc::{Rc, Weak};

use crate::batch::Synced;
use crate::error::{Error, Result};
use crate::event_loop::Loop;
use crate::handle::Held;
use crate::imports::batch::{TimerNumber, TimerPool};
use crate::imports::event_loop::Loop as RawLoop;
use crate::imports::timer::Timer as RawTimer;
use crate::status::StatusCode;

/// The most timers that are allocated with one call.
const MOST: u32 = 256;

thread_local! {
    /// The pool that the timers of all loops belong to. It is not `Synced`: allocating dereferences
    /// the loop first, and a flush lends the pool.
    static POOL: RefCell<ManuallyDrop<Option<TimerPool>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
    /// The free timers of all loops.
    static ALL: RefCell<ManuallyDrop<Vec<Weak<FreeTimers>>>> =
        const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

/// Allocates timers of the pool on a loop.
type Allocate = fn(&RawLoop, u32) -> Result<Vec<(RawTimer, TimerNumber)>>;

/// The timers of the pool that are on a loop and in no use.
pub(crate) struct FreeTimers {
    timers: RefCell<Vec<(Synced<RawTimer>, TimerNumber)>>,
    /// [`allocate`]. A pointer, so that a plugin, which has no free timers, does not contain it: see
    /// [`enable`](crate::batch::enable).
    allocate: Allocate,
    /// How many to allocate when there is none left.
    next: Cell<u32>,
}

impl FreeTimers {
    pub(crate) fn new() -> Rc<Self> {
        let free = Rc::new(Self { timers: RefCell::default(), allocate, next: Cell::new(1) });
        ALL.with_borrow_mut(|all| {
            all.retain(|free| free.strong_count() > 0);
            all.push(Rc::downgrade(&free));
        });
        free
    }

    /// Takes a closed timer of the loop.
    pub(crate) fn take(&self, event_loop: &Synced<RawLoop>) -> Result<(HeldTimer, TimerNumber)> {
        let free = self.timers.borrow_mut().pop();
        let (timer, number) = match free {
            Some(timer) => timer,
            None => self.allocate(event_loop)?,
        };
        Ok((HeldTimer::Pooled(timer, number), number))
    }

    /// Allocates more timers and returns the first of them.
    #[cold]
    fn allocate(&self, event_loop: &Synced<RawLoop>) -> Result<(Synced<RawTimer>, TimerNumber)> {
        let count = self.next.get();
        let timers = freeing_if_full(|| (self.allocate)(event_loop, count))?;
        let mut timers = timers.into_iter().map(|(timer, number)| (Synced::new(timer), number));
        let first = timers.next().ok_or(Error::Status(StatusCode::ENOMEM))?;
        // In reverse, because they are taken from the end.
        self.timers.borrow_mut().extend(timers.rev());
        self.next.set((count * 2).min(MOST));
        Ok(first)
    }
}

fn allocate(event_loop: &RawLoop, count: u32) -> Result<Vec<(RawTimer, TimerNumber)>> {
    POOL.with_borrow_mut(|pool| {
        let pool = match &mut **pool {
            Some(pool) => pool,
            none => none.insert(TimerPool::create()?),
        };
        Ok(pool.allocate(event_loop, count)?)
    })
}

/// Calls `f` with the pool, if there is one.
pub(crate) fn with_pool<R>(f: impl FnOnce(Option<&TimerPool>) -> R) -> R {
    POOL.with_borrow(|pool| f(pool.as_ref()))
}

/// Calls `make`, and once more without free timers if the guest has as many handles as it may have.
pub(crate) fn freeing_if_full<T>(make: impl Fn() -> Result<T>) -> Result<T> {
    match make() {
        Err(Error::Status(StatusCode::ENOMEM)) if free_all() => make(),
        made => made,
    }
}

/// Drops the free timers of all loops. Returns whether there were any.
fn free_all() -> bool {
    let all: Vec<_> = ALL.with_borrow(|all| all.iter().filter_map(Weak::upgrade).collect());
    let timers: Vec<_> = all.iter().flat_map(|free| free.timers.take()).collect();
    !timers.is_empty()
}

/// The resource of a timer.
pub(crate) enum HeldTimer {
    /// It belongs to its handle alone.
    Own(Synced<RawTimer>),
    /// It belongs to the pool, with its number there. When its handle is dropped, which is closed
    /// then, it goes back to the free timers of its loop.
    Pooled(Synced<RawTimer>, TimerNumber),
    /// It has gone back.
    GivenBack,
}

impl HeldTimer {
    /// The number in the pool, if the timer's changes may be deferred.
    pub(crate) fn number(&self) -> Option<TimerNumber> {
        match self {
            Self::Pooled(_, number) => Some(*number),
            Self::Own(_) | Self::GivenBack => None,
        }
    }

    fn resource(&self) -> &Synced<RawTimer> {
        match self {
            Self::Own(timer) | Self::Pooled(timer, _) => timer,
            Self::GivenBack => unreachable!("the handle of this timer has been dropped"),
        }
    }
}

impl Held for HeldTimer {
    fn is_pooled(&self) -> bool {
        self.number().is_some()
    }

    fn give_back(&mut self, event_loop: &Loop) {
        if let Some(free) = event_loop.free_timers()
            && self.is_pooled()
            && let Self::Pooled(timer, number) = std::mem::replace(self, Self::GivenBack)
        {
            free.timers.borrow_mut().push((timer, number));
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
