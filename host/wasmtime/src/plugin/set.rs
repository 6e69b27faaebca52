//! A set of plugins on one thread, called synchronously.
//!
//! This costs least for thousands of plugins. An idle plugin is in no cache, and each part of its
//! memory must be fetched when it becomes due. The deadlines of all plugins are therefore stored
//! together here, and a plugin without due events is not touched. A plugin also needs no task,
//! runtime timer or stack of its own, which would be more memory to fetch.

use super::loops::{Dispatched, Due};
use super::stats::{Counters, PluginStats};
use super::timing::{begin_callback, end_callback, plugin_span};
use super::wake_queue::WakeQueue;
use super::warm::GROUP;
use super::{Dispatch, dispatch_of, mark};
use crate::ctx::UvCtx;
use crate::ctx::clock::monotonic;
use crate::engine::begin_epochs;
use crate::os::poller_set::{PollerSet, SetEvent};
use crate::view::UvView;
use slab::Slab;
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::hint::black_box;
use std::io;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

/// A set of plugins that one thread drives.
///
/// The thread waits for all plugins at once, and calls due callbacks one plugin after the other.
/// The thread is the embedder's: it calls [`turn`](PluginSet::turn) repeatedly, as uv_run in mode
/// `once`, and the plugins' exports in between.
///
/// The plugins are linked with [`add_to_linker_sync`](crate::add_to_linker_sync), and have no
/// stacks of their own. An idle plugin needs less memory than a [`Plugin`](crate::Plugin) in a
/// tokio task, and a timer that fires costs less. All plugins wait while one of them runs: for a
/// host function that blocks, and for a plugin that computes for long, which
/// [`interrupt_by_epochs_sync`](crate::interrupt_by_epochs_sync) lets the embedder interrupt.
///
/// Do not use a set on threads of a tokio runtime: synchronous functions of wasmtime-wasi panic
/// there.
pub struct PluginSet<T: 'static> {
    members: Slab<Member<T>>,
    /// The number of plugins added so far, removed ones included.
    added: u64,
    /// The deadlines of members, in milliseconds of the system's clock.
    deadlines: BTreeSet<(u64, u32)>,
    timer_slack: Duration,
    /// The members to visit in the next turn, without waiting.
    queue: VecDeque<u32>,
    woken: Arc<WakeQueue>,
    poller: PollerSet,
}

/// The id of a plugin of a [`PluginSet`]. A set never reuses an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PluginId {
    number: u64,
    at: u32,
}

/// The result of a [`PluginSet::turn`].
#[non_exhaustive]
pub struct Turn<T: 'static> {
    /// The number of callbacks called.
    pub callbacks: u64,
    /// The plugins that have ended. They have been removed from the set.
    pub ended: Vec<Ended<T>>,
}

/// A plugin that has ended, with the reason: a trap in a callback,
/// [`Interrupted`](crate::Interrupted), or the OS's error if no descriptor to wait with is
/// available.
#[non_exhaustive]
pub struct Ended<T: 'static> {
    /// The id of the plugin.
    pub id: PluginId,
    /// The reason.
    pub error: wasmtime::Error,
    /// The plugin's counters.
    pub stats: PluginStats,
    /// The plugin's store, which cannot be called any more. Dropping it may wait until writes to a
    /// granted standard output are complete.
    pub store: Store<T>,
}

// In this order, so that what a visit reads is adjacent, at the start.
#[repr(C)]
struct Member<T: 'static> {
    store: Store<T>,
    /// The member's entry in `deadlines`.
    due: Option<u64>,
    is_queued: bool,
    dispatch: Dispatch,
    counters: Counters,
    number: u64,
    /// Queues the member, from any thread.
    waker: Waker,
}

impl<T: UvView> PluginSet<T> {
    /// Creates an empty set.
    ///
    /// # Errors
    ///
    /// Returns the OS's error if no descriptors to wait with are available.
    pub fn new() -> io::Result<PluginSet<T>> {
        let poller = PollerSet::new()?;
        Ok(PluginSet {
            members: Slab::new(),
            added: 0,
            deadlines: BTreeSet::new(),
            timer_slack: Duration::ZERO,
            queue: VecDeque::new(),
            woken: WakeQueue::new(poller.waker()),
            poller,
        })
    }

    /// Sets how much later than due timers may be called, so that the set wakes once for several of
    /// them, which saves CPU time. As Linux's PR_SET_TIMERSLACK. Default: zero.
    pub fn set_timer_slack(&mut self, slack: Duration) {
        self.timer_slack = slack;
    }

    /// Instantiates a plugin in this store, and adds it to the set.
    ///
    /// The component must be linked with [`add_to_linker_sync`](crate::add_to_linker_sync). The
    /// store's context is marked as a plugin's before any code of the component runs.
    ///
    /// # Errors
    ///
    /// Returns an error if the component does not export `uv:handles/plugin-events`, and wasmtime's
    /// errors.
    pub fn instantiate(
        &mut self,
        mut store: Store<T>,
        pre: &InstancePre<T>,
    ) -> wasmtime::Result<(PluginId, Instance)> {
        mark(&mut store, pre.component())?;
        let instance = pre.instantiate(&mut store)?;
        Ok((self.add(store, &instance)?, instance))
    }

    /// Adds an instance in this store to the set: one that the embedder has instantiated, or that
    /// was [removed](PluginSet::remove) from a set. The context must have been [built for a
    /// plugin](crate::UvCtxBuilder::plugin).
    ///
    /// # Errors
    ///
    /// Returns an error if the context was built for a program, or the instance does not export
    /// `uv:handles/plugin-events`.
    pub fn add(&mut self, mut store: Store<T>, instance: &Instance) -> wasmtime::Result<PluginId> {
        let dispatch = dispatch_of(&mut store, instance)?;
        self.added += 1;
        let (number, entry) = (self.added, self.members.vacant_entry());
        let at = entry.key() as u32;
        let waker = self.woken.waker_of(at);
        let ctx = uv(&mut store);
        ctx.pollers.signals_are_watched = true;
        ctx.interrupt.shared().task().register(&Context::from_waker(&waker));
        entry.insert(Member {
            store,
            dispatch,
            number,
            due: None,
            is_queued: false,
            counters: Counters::default(),
            waker,
        });
        self.enqueue(at);
        Ok(PluginId { number, at })
    }

    /// Removes a plugin and returns its store. Its callbacks are no longer called.
    pub fn remove(&mut self, id: PluginId) -> Option<Store<T>> {
        self.member(id)?;
        Some(self.take_out(id.at).store)
    }

    /// Returns a plugin's store, to call its exports. Events that become due by that are delivered
    /// in the next turn. The time of the plugin's loops is refreshed, so that a timer which the
    /// export starts counts from now.
    pub fn store(&mut self, id: PluginId) -> Option<&mut Store<T>> {
        self.member(id)?;
        self.enqueue(id.at);
        let store = &mut self.member(id)?.store;
        uv(store).lend();
        Some(store)
    }

    /// Returns whether one of the plugin's loops is alive. Otherwise the plugin is parked until one
    /// of its exports is called, or it has ended.
    pub fn alive(&mut self, id: PluginId) -> bool {
        self.member(id).is_some_and(|member| uv(&mut member.store).alive())
    }

    /// Returns the plugin's counters.
    pub fn stats(&mut self, id: PluginId) -> Option<PluginStats> {
        let member = self.member(id)?;
        let ctx = uv(&mut member.store);
        member.counters.set_alive(ctx.alive());
        member.counters.set_handles(ctx.open_handles());
        let (messages, bytes) = ctx.async_handles.depth();
        let mut stats = member.counters.stats();
        (stats.mailbox_messages, stats.mailbox_bytes) = (messages as u64, bytes as u64);
        Some(stats)
    }

    /// Returns the number of plugins in the set.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns whether the set has no plugins.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns a waker that ends the wait of a turn from any thread. If the set is not waiting, it
    /// ends the wait of the next turn.
    pub fn waker(&self) -> Waker {
        self.woken.waker_of_all()
    }

    /// Waits until a plugin has something to do, and calls the due callbacks.
    ///
    /// Each plugin's loops run one iteration, as
    /// [`RunMode::NoWait`](uv_handles_core::RunMode::NoWait), so that no plugin starves the others.
    /// **Blocks** at most for `timeout` (`None`: without limit), until something is due or the
    /// [waker](PluginSet::waker) is used. A turn may end without having called anything.
    ///
    /// # Errors
    ///
    /// Returns the OS's error if the set cannot wait. Errors of single plugins are in the [`Turn`].
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<Turn<T>> {
        self.collect();
        let timeout = match self.queue.is_empty() {
            false => Some(Duration::ZERO),
            true => self.wait_limit(timeout, monotonic()),
        };
        let mut events = Vec::new();
        self.poller.wait(timeout, |event| events.push(event))?;
        for event in events {
            match event {
                SetEvent::Member(at) => self.enqueue(at),
                SetEvent::Signal => self.enqueue_signal_watchers(),
            }
        }
        if timeout != Some(Duration::ZERO) {
            self.collect();
        }
        let mut turn = Turn { callbacks: 0, ended: Vec::new() };
        let mut remaining = self.queue.len();
        while remaining > 0 {
            let group = remaining.min(GROUP);
            self.warm(group);
            // Members are popped one by one, so that after a panic in a host function the remaining
            // ones are visited in a later turn.
            for _ in 0..group {
                if let Some(at) = self.queue.pop_front() {
                    self.visit(at, &mut turn);
                }
            }
            remaining -= group;
        }
        Ok(turn)
    }

    /// Returns the limit of a wait that begins at `now`.
    fn wait_limit(&self, timeout: Option<Duration>, now: u64) -> Option<Duration> {
        let until_due = self.deadlines.first().map(|&(due, _)| {
            let latest = Duration::from_millis(due).saturating_add(self.timer_slack);
            latest.saturating_sub(Duration::from_millis(now))
        });
        timeout.into_iter().chain(until_due).min()
    }

    /// Queues the members that are due or were woken.
    fn collect(&mut self) {
        for at in self.woken.take() {
            if let Some(member) = self.members.get_mut(at as usize) {
                // Register the waker again first. The visit then sees the cause of the earlier
                // wake.
                let _ = uv(&mut member.store)
                    .interrupt
                    .shared()
                    .task()
                    .poll_woken(&Context::from_waker(&member.waker));
                self.enqueue(at);
            }
        }
        if self.deadlines.is_empty() {
            return;
        }
        let now = monotonic();
        while let Some(&(due, at)) = self.deadlines.first().filter(|(due, _)| *due <= now) {
            self.deadlines.remove(&(due, at));
            self.members[at as usize].due = None;
            self.enqueue(at);
        }
    }

    /// Queues the members that watch signals. Signals are rare, so no list of these members is
    /// kept.
    fn enqueue_signal_watchers(&mut self) {
        let watching = |member: &mut Member<T>| uv(&mut member.store).loops.watched_signals() != 0;
        let members: Vec<usize> =
            self.members.iter_mut().filter_map(|(at, member)| watching(member).then_some(at)).collect();
        members.into_iter().for_each(|at| self.enqueue(at as u32));
    }

    /// Queues a member for the next turn.
    fn enqueue(&mut self, at: u32) {
        if let Some(member) = self.members.get_mut(at as usize)
            && !std::mem::replace(&mut member.is_queued, true)
        {
            self.queue.push_back(at);
        }
    }

    /// Fetches the state of the first members of the queue.
    fn warm(&mut self, count: usize) {
        let mut sum = 0;
        for &at in self.queue.iter().take(count) {
            if let Some(member) = self.members.get_mut(at as usize) {
                sum ^= uv(&mut member.store).warm() ^ member.counters.warm();
            }
        }
        // The sum has no use. This keeps the compiler from removing the reads.
        black_box(sum);
    }

    /// Calls the due callbacks of a member, and schedules its next deadline.
    fn visit(&mut self, at: u32, turn: &mut Turn<T>) {
        let Some(member) = self.members.get_mut(at as usize) else {
            return;
        };
        member.is_queued = false;
        let due = member.dispatch().and_then(|dispatched| {
            turn.callbacks += dispatched.callbacks;
            let ctx = uv(&mut member.store);
            let due = ctx.when_due()?;
            self.poller.watch(at, &mut ctx.pollers)?;
            Ok(match due {
                // A signal may have been delivered before the set watched signals.
                _ if ctx.loops.watched_signals() != 0 && self.poller.watch_signals()? => Due::Now,
                Due::At(due) => Due::At(ctx.clock.of_system(due)),
                due => due,
            })
        });
        match due {
            Ok(Due::Now) => {
                self.enqueue(at);
            }
            Ok(Due::At(due)) => self.schedule(at, Some(due)),
            Ok(Due::Never) => self.schedule(at, None),
            Err(error) => {
                let Member { number, store, counters, .. } = self.take_out(at);
                let stats = counters.stats();
                turn.ended.push(Ended { id: PluginId { number, at }, error, stats, store });
            }
        }
    }

    fn schedule(&mut self, at: u32, due: Option<u64>) {
        let before = std::mem::replace(&mut self.members[at as usize].due, due);
        if before != due {
            before.map(|before| self.deadlines.remove(&(before, at)));
            due.map(|due| self.deadlines.insert((due, at)));
        }
    }

    fn take_out(&mut self, at: u32) -> Member<T> {
        self.schedule(at, None);
        let mut member = self.members.remove(at as usize);
        if member.is_queued {
            // A later member in the same slot must not be visited instead.
            self.queue.retain(|&queued| queued != at);
        }
        let ctx = uv(&mut member.store);
        self.poller.forget(&mut ctx.pollers);
        ctx.pollers.signals_are_watched = false;
        ctx.interrupt.shared().task().forget();
        member
    }

    fn member(&mut self, id: PluginId) -> Option<&mut Member<T>> {
        self.members.get_mut(id.at as usize).filter(|member| member.number == id.number)
    }
}

impl<T: UvView> Member<T> {
    fn dispatch(&mut self) -> wasmtime::Result<Dispatched> {
        // Check this even if nothing is due.
        uv(&mut self.store).check_interrupt()?;
        let _span = plugin_span(uv(&mut self.store)).entered();
        let mut dispatched = Dispatched::default();
        let mut next = 0;
        while let Some(id) = uv(&mut self.store).begin_iteration(&mut next)? {
            while let Some(event) = uv(&mut self.store).next_callback(id, &self.counters, &mut dispatched)? {
                begin_epochs(&mut self.store);
                let begun = begin_callback(uv(&mut self.store));
                self.dispatch.call(&mut self.store, (event,))?;
                end_callback(uv(&mut self.store), &self.counters, begun);
            }
        }
        Ok(dispatched)
    }
}

fn uv<T: UvView>(store: &mut Store<T>) -> &mut UvCtx {
    store.data_mut().uv().ctx
}

impl<T> fmt::Debug for PluginSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginSet").field("plugins", &self.members.len()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Turn<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("callbacks", &self.callbacks).field("ended", &self.ended).finish()
    }
}

impl<T> fmt::Debug for Ended<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended").field("id", &self.id).field("error", &self.error).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::UvCtxView;

    struct State;

    impl UvView for State {
        fn uv(&mut self) -> UvCtxView<'_> {
            unreachable!("the set has no plugin")
        }
    }

    #[test]
    fn a_wait_ends_at_the_first_deadline_plus_slack_or_at_the_timeout() {
        let ms = Duration::from_millis;
        let mut set = PluginSet::<State>::new().unwrap();
        assert_eq!(set.wait_limit(None, 7), None);
        assert_eq!(set.wait_limit(Some(ms(5)), 7), Some(ms(5)));
        set.deadlines.extend([(1_000, 3), (100, 8), (100, 9)]);
        assert_eq!(set.wait_limit(None, 30), Some(ms(70)));
        assert_eq!(set.wait_limit(Some(ms(5)), 30), Some(ms(5)));
        assert_eq!(set.wait_limit(None, 200), Some(ms(0)));
        set.set_timer_slack(ms(20));
        assert_eq!(set.wait_limit(None, 30), Some(ms(90)));
        assert_eq!(set.wait_limit(None, 110), Some(ms(10)));
        set.deadlines = BTreeSet::from([(u64::MAX, 1)]);
        set.set_timer_slack(Duration::MAX);
        assert_eq!(set.wait_limit(None, 0), Some(Duration::MAX));
    }
}
