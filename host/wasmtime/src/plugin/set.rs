//! Many plugins on one thread, called synchronously: what costs least for thousands of them.
//!
//! For whoever maintains it: an idle plugin is in no cache, and each piece of its memory has to be fetched when it becomes due.
//! So what says when that is stands together here, for all plugins, and a plugin of which nothing is due is not touched. It
//! needs no task, no timer of a runtime and no stack of its own either, which are more such pieces.

use super::loops::{Dispatched, Due};
use super::stats::{Counters, PluginStats};
use super::woken::Woken;
use super::{Dispatch, dispatch_of, mark};
use crate::ctx::UvCtx;
use crate::ctx::clock::monotonic;
use crate::ctx::epoch_deadline::EpochDeadline;
use crate::engine::begin_epochs;
use crate::os::set_poller::{Found, SetPoller};
use crate::view::UvView;
use slab::Slab;
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

/// Plugins that one thread drives: it waits for all of them at once and calls what is due, one plugin after the other. The
/// thread is the embedder's, who calls [`turn`](PluginSet::turn) again and again, as uv_run in mode `once`, and the
/// plugins' exports in between.
///
/// The plugins are linked with [`add_to_linker_sync`](crate::add_to_linker_sync), and called without a stack of their own.
/// An idle one keeps less memory than a [`Plugin`](crate::Plugin) in a task of tokio's, and a timer that fires costs less.
/// What one of them does, the others wait for: a host function that blocks, and a plugin that computes for long, which
/// [`interrupt_by_epochs_sync`](crate::interrupt_by_epochs_sync) lets be ended.
///
/// It is not for the threads of a tokio runtime: synchronous functions of wasmtime-wasi panic there.
pub struct PluginSet<T: 'static> {
    members: Slab<Member<T>>,
    /// How many there have ever been.
    added: u64,
    /// When a member is due, in milliseconds of the system's clock.
    deadlines: BTreeSet<(u64, u32)>,
    timer_slack: Duration,
    /// Members to be looked at in the next turn, without waiting.
    listed: VecDeque<u32>,
    woken: Arc<Woken>,
    poller: SetPoller,
}

/// Names a plugin of a [`PluginSet`]. No other plugin of that set ever has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PluginId {
    number: u64,
    at: u32,
}

/// What a [`PluginSet::turn`] has come to.
#[non_exhaustive]
pub struct Turn<T: 'static> {
    /// How many callbacks were called.
    pub callbacks: u64,
    /// The plugins that have ended. They are not in the set any more.
    pub ended: Vec<Ended<T>>,
}

/// A plugin that has ended, and why: a trap in a callback, [`Interrupted`](crate::Interrupted), or the system's error if it
/// had no descriptor to wait with.
#[non_exhaustive]
pub struct Ended<T: 'static> {
    /// Which one.
    pub id: PluginId,
    /// Why.
    pub error: wasmtime::Error,
    /// Its store, which can not be called any more. Dropping it may wait until a granted standard output has been written.
    pub store: Store<T>,
}

struct Member<T: 'static> {
    store: Store<T>,
    dispatch: Dispatch,
    number: u64,
    /// Its entry in `deadlines`.
    due: Option<u64>,
    is_listed: bool,
    counters: Counters,
    /// Lists it, from any thread.
    waker: Waker,
}

impl<T: UvView> PluginSet<T> {
    /// A set without plugins.
    ///
    /// # Errors
    ///
    /// The system's, if it has no descriptors to wait with.
    pub fn new() -> io::Result<PluginSet<T>> {
        let poller = SetPoller::new()?;
        Ok(PluginSet {
            members: Slab::new(),
            added: 0,
            deadlines: BTreeSet::new(),
            timer_slack: Duration::ZERO,
            listed: VecDeque::new(),
            woken: Woken::new(poller.waker()),
            poller,
        })
    }

    /// Lets timers be called up to so much later than they are due, so that the set wakes up once for several of them, which
    /// spares some time. As Linux's PR_SET_TIMERSLACK; zero unless set.
    pub fn set_timer_slack(&mut self, slack: Duration) {
        self.timer_slack = slack;
    }

    /// Instantiates a plugin in this store, and adds it to the set. The component was linked with
    /// [`add_to_linker_sync`](crate::add_to_linker_sync).
    ///
    /// The store's context is that of a plugin from now on, before any code of the component runs.
    ///
    /// # Errors
    ///
    /// If the component does not export `uv:handles/plugin-events`, and wasmtime's.
    pub fn instantiate(
        &mut self,
        mut store: Store<T>,
        pre: &InstancePre<T>,
    ) -> wasmtime::Result<(PluginId, Instance)> {
        mark(&mut store, pre.component())?;
        let instance = pre.instantiate(&mut store)?;
        Ok((self.add(store, &instance)?, instance))
    }

    /// Takes charge of an instance in this store, whose context was
    /// [built for a plugin](crate::UvCtxBuilder::plugin): one that the embedder has instantiated, or that
    /// was [removed](PluginSet::remove) from a set.
    ///
    /// # Errors
    ///
    /// If the context was built for a program, or the instance does not export
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
            is_listed: false,
            counters: Counters::default(),
            waker,
        });
        self.list(at);
        Ok(PluginId { number, at })
    }

    /// Takes a plugin out, with its store. Nothing is called any more.
    pub fn remove(&mut self, id: PluginId) -> Option<Store<T>> {
        self.member(id)?;
        Some(self.take_out(id.at).store)
    }

    /// A plugin's store, to call its exports. What becomes due by that is called in the next turn.
    pub fn store(&mut self, id: PluginId) -> Option<&mut Store<T>> {
        self.member(id)?;
        self.list(id.at);
        let store = &mut self.member(id)?.store;
        uv(store).epochs = EpochDeadline::Lent;
        Some(store)
    }

    /// Whether something keeps one of the plugin's loops alive. If not, it is parked until one of its exports is called, or
    /// it has ended.
    pub fn alive(&mut self, id: PluginId) -> bool {
        self.member(id).is_some_and(|member| uv(&mut member.store).alive())
    }

    /// What the plugin has done so far.
    pub fn stats(&mut self, id: PluginId) -> Option<PluginStats> {
        let member = self.member(id)?;
        member.counters.set_alive(uv(&mut member.store).alive());
        Some(member.counters.stats())
    }

    /// How many plugins are in the set.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no plugin is in the set.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// What ends the wait of a turn from any thread; if the set does not wait, that of the next turn.
    pub fn waker(&self) -> Waker {
        self.woken.waker_of_all()
    }

    /// Waits until one of the plugins has something to do, and calls the callbacks of those that have: of each plugin's loops
    /// one iteration, as [`RunMode::NoWait`](uv_handles_core::RunMode::NoWait), so that none starves the others.
    /// **Blocks**: at most for `timeout` (none: without limit), until something is due or the [waker](PluginSet::waker) is
    /// used. A turn may end without having called anything.
    ///
    /// # Errors
    ///
    /// The system's, if it does not let the set wait. What ends a single plugin is in the [`Turn`].
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<Turn<T>> {
        self.collect();
        let timeout = match self.listed.is_empty() {
            false => Some(Duration::ZERO),
            true => self.may_wait(timeout, monotonic()),
        };
        let mut all_found = Vec::new();
        self.poller.wait(timeout, |found| all_found.push(found))?;
        for found in all_found {
            match found {
                Found::Member(at) => self.list(at),
                Found::Signal => self.list_those_with_signals(),
            }
        }
        if timeout != Some(Duration::ZERO) {
            self.collect();
        }
        let mut turn = Turn { callbacks: 0, ended: Vec::new() };
        // One by one: if a host function panics, those behind it have their turn later.
        for _ in 0..self.listed.len() {
            if let Some(at) = self.listed.pop_front() {
                self.visit(at, &mut turn);
            }
        }
        Ok(turn)
    }

    /// How long a wait may be that begins at this time.
    fn may_wait(&self, timeout: Option<Duration>, now: u64) -> Option<Duration> {
        let until_due = self.deadlines.first().map(|&(due, _)| {
            let latest = Duration::from_millis(due).saturating_add(self.timer_slack);
            latest.saturating_sub(Duration::from_millis(now))
        });
        timeout.into_iter().chain(until_due).min()
    }

    /// Lists what is due, and what was woken.
    fn collect(&mut self) {
        for at in self.woken.take() {
            if let Some(member) = self.members.get_mut(at as usize) {
                // From now on it is woken again. What it was woken for is seen afterwards.
                let _ = uv(&mut member.store)
                    .interrupt
                    .shared()
                    .task()
                    .poll_woken(&Context::from_waker(&member.waker));
                self.list(at);
            }
        }
        if self.deadlines.is_empty() {
            return;
        }
        let now = monotonic();
        while let Some(&(due, at)) = self.deadlines.first().filter(|(due, _)| *due <= now) {
            self.deadlines.remove(&(due, at));
            self.members[at as usize].due = None;
            self.list(at);
        }
    }

    /// Signals are rare, so nobody keeps who watches them.
    fn list_those_with_signals(&mut self) {
        let watching = |member: &mut Member<T>| uv(&mut member.store).loops.watched_signals() != 0;
        let members: Vec<usize> =
            self.members.iter_mut().filter_map(|(at, member)| watching(member).then_some(at)).collect();
        members.into_iter().for_each(|at| self.list(at as u32));
    }

    /// Has a member looked at in the next turn.
    fn list(&mut self, at: u32) {
        if let Some(member) = self.members.get_mut(at as usize)
            && !std::mem::replace(&mut member.is_listed, true)
        {
            self.listed.push_back(at);
        }
    }

    /// Calls what is due of a member, and notes when it is due next.
    fn visit(&mut self, at: u32, turn: &mut Turn<T>) {
        let Some(member) = self.members.get_mut(at as usize) else {
            return;
        };
        member.is_listed = false;
        let due = member.dispatch().and_then(|dispatched| {
            turn.callbacks += dispatched.callbacks;
            let ctx = uv(&mut member.store);
            let due = ctx.when_due()?;
            self.poller.watch(at, &mut ctx.pollers)?;
            Ok(match due {
                // One may have been delivered before the set watched them.
                _ if ctx.loops.watched_signals() != 0 && self.poller.watch_signals()? => Due::Now,
                Due::At(due) => Due::At(ctx.clock.of_system(due)),
                due => due,
            })
        });
        match due {
            Ok(Due::Now) => {
                self.list(at);
            }
            Ok(Due::At(due)) => self.schedule(at, Some(due)),
            Ok(Due::Never) => self.schedule(at, None),
            Err(error) => {
                let Member { number, store, .. } = self.take_out(at);
                turn.ended.push(Ended { id: PluginId { number, at }, error, store });
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
        if member.is_listed {
            // So that whoever gets its place is not looked at instead.
            self.listed.retain(|&listed| listed != at);
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
        // Also if nothing of it is due any more.
        uv(&mut self.store).check_interrupt()?;
        let mut dispatched = Dispatched::default();
        let mut next = 0;
        while let Some(id) = uv(&mut self.store).begin_iteration(&mut next)? {
            while let Some(event) = uv(&mut self.store).next_callback(id, &self.counters, &mut dispatched)? {
                begin_epochs(&mut self.store);
                self.dispatch.call(&mut self.store, (event,))?;
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
    fn a_wait_ends_with_the_first_deadline_and_the_slack_or_before() {
        let ms = Duration::from_millis;
        let mut set = PluginSet::<State>::new().unwrap();
        assert_eq!(set.may_wait(None, 7), None);
        assert_eq!(set.may_wait(Some(ms(5)), 7), Some(ms(5)));
        set.deadlines.extend([(1_000, 3), (100, 8), (100, 9)]);
        assert_eq!(set.may_wait(None, 30), Some(ms(70)));
        assert_eq!(set.may_wait(Some(ms(5)), 30), Some(ms(5)));
        assert_eq!(set.may_wait(None, 200), Some(ms(0)));
        set.set_timer_slack(ms(20));
        assert_eq!(set.may_wait(None, 30), Some(ms(90)));
        assert_eq!(set.may_wait(None, 110), Some(ms(10)));
        set.deadlines = BTreeSet::from([(u64::MAX, 1)]);
        set.set_timer_slack(Duration::MAX);
        assert_eq!(set.may_wait(None, 0), Some(Duration::MAX));
    }
}
