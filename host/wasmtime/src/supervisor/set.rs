//! Supervised plugins on one thread.

use super::end::End;
use super::exports::{LifeExports, check_state};
use super::log::{LogLine, PluginLog, Sink};
use super::restart::{BackOff, Ending};
use super::spec::{PluginSpec, PluginState, Traces};
use super::status::{PluginStatus, State, Status};
use super::text::{check_name, one_line};
use crate::ctx::watch::DeadlineExceeded;
use crate::engine::interrupt_by_epochs_sync;
use crate::plugin::{CallError, PluginId, PluginSet, PluginStats};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};
use tracing::Level;
use wasmtime::Store;
use wasmtime::component::Instance;

/// Runs many plugins by name on one thread, in a [`PluginSet`].
///
/// It does the same as a [`Supervisor`](super::Supervisor), and costs less: an idle plugin takes less
/// memory and a timer less time. All plugins wait while one of them runs, so each call has a
/// deadline, which the engine's epochs enforce. [`LifeLimits::callback`](super::LifeLimits::callback)
/// is 5 seconds unless set. A start blocks the thread too.
///
/// A deadline ends a plugin that computes. It does not end one that blocks the thread in a function of
/// the host: `uv:handles` has none for plugins, but WASI's own waits, such as a sleep of the standard
/// library, stop all plugins of the set. A [`Supervisor`](super::Supervisor) has no such limit.
///
/// The components are linked with [`add_to_linker_sync`](crate::add_to_linker_sync).
pub struct SupervisedSet<T: 'static> {
    set: PluginSet<T>,
    members: BTreeMap<Arc<str>, Member<T>>,
    by_id: HashMap<PluginId, Arc<str>>,
    /// The members that are started again, by the time of that.
    waiting: BTreeSet<(Instant, Arc<str>)>,
    sink: Option<Sink>,
}

struct Member<T: 'static> {
    spec: PluginSpec<T>,
    log: Arc<PluginLog>,
    status: Status,
    back_off: BackOff,
    begun: Instant,
    live: Option<Live>,
}

/// A running instance.
struct Live {
    id: PluginId,
    instance: Instance,
    traces: Traces,
}

/// The limit of a callback, unless it is set.
const CALLBACK: Duration = Duration::from_secs(5);

impl<T: PluginState> SupervisedSet<T> {
    /// Creates an empty set whose log goes to `tracing`.
    ///
    /// # Errors
    ///
    /// Returns the OS's error if no descriptors to wait with are available.
    pub fn new() -> io::Result<SupervisedSet<T>> {
        Ok(SupervisedSet {
            set: PluginSet::new()?,
            members: BTreeMap::new(),
            by_id: HashMap::new(),
            waiting: BTreeSet::new(),
            sink: None,
        })
    }

    /// Sends the log of plugins that are started from now on to this function. A panic of it loses the
    /// line and nothing else.
    pub fn set_log(&mut self, log: impl Fn(&LogLine<'_>) + Send + Sync + 'static) {
        self.sink = Some(Arc::new(log));
    }

    /// Sets how much later than due timers may be called: see [`PluginSet::set_timer_slack`].
    pub fn set_timer_slack(&mut self, slack: Duration) {
        self.set.set_timer_slack(slack);
    }

    /// Starts a plugin, or replaces the plugin of that name, as
    /// [`Supervisor::run`](super::Supervisor::run).
    ///
    /// # Errors
    ///
    /// Returns a sentence about why the plugin has not started. The old instance continues; a plugin
    /// without one is started again as its restart policy says. A name that is empty, longer than 255
    /// bytes, or has control characters is refused.
    pub fn run(&mut self, name: &str, spec: &PluginSpec<T>) -> Result<(), String> {
        check_name(name)?;
        let (name, log) = match self.members.get_key_value(name) {
            Some((name, member)) => (name.clone(), member.log.clone()),
            None => {
                let name: Arc<str> = name.into();
                (name.clone(), PluginLog::new(&name, self.sink.clone()))
            }
        };
        let state = match self.hand_over(&name) {
            Ok(state) => state,
            Err(reason) => {
                self.keep(&name, &reason);
                return Err(reason);
            }
        };
        let started = self.start(spec, &log, state);
        if let Err(end) = &started
            && self.members.get(&name).is_some_and(|member| member.live.is_some())
        {
            self.keep(&name, &end.reason);
            return Err(end.reason.clone());
        }
        self.end_life(&name);
        let member = self.members.entry(name.clone()).or_insert_with(|| Member {
            spec: spec.clone(),
            log,
            status: Status::new(),
            back_off: BackOff::new(),
            begun: Instant::now(),
            live: None,
        });
        member.spec = spec.clone();
        member.back_off = BackOff::new();
        self.begun(&name, started)
    }

    /// Removes a plugin, which ends at once. Returns whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        self.end_life(name);
        self.waiting.retain(|(_, waiting)| &**waiting != name);
        self.members.remove(name).is_some()
    }

    /// Calls a plugin, within [`LifeLimits::call`](super::LifeLimits::call).
    ///
    /// An error of the call ends the plugin, and so does a call that takes too long. It is then
    /// started again as its restart policy says.
    ///
    /// # Errors
    ///
    /// Returns [`CallError::Gone`] if the plugin does not run, and otherwise the call's.
    pub fn call<R>(
        &mut self,
        name: &str,
        call: impl FnOnce(&mut Store<T>, &Instance) -> wasmtime::Result<R>,
    ) -> Result<R, CallError> {
        let (name, member) = self.members.get_key_value(name).ok_or(CallError::Gone)?;
        let Live { id, instance, .. } = member.live.as_ref().ok_or(CallError::Gone)?;
        let (id, instance, limit) = (*id, *instance, member.spec.life_limits().call);
        let name = name.clone();
        let store = self.set.store(id).ok_or(CallError::Gone)?;
        let error = match within(store, limit, |store| call(store, &instance)) {
            Ok(result) => return Ok(result),
            Err(error) => error,
        };
        self.ended(&name, &error, None);
        Err(match error.is::<DeadlineExceeded>() {
            true => CallError::DeadlineExceeded,
            false => CallError::Failed(format!("{error:#}")),
        })
    }

    /// Waits until a plugin has something to do, and calls the due callbacks: see
    /// [`PluginSet::turn`]. Starts plugins that have ended. Returns the number of callbacks.
    ///
    /// # Errors
    ///
    /// Returns the OS's error if the set cannot wait.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<u64> {
        let until_start = self.waiting.first().map(|(at, _)| at.saturating_duration_since(Instant::now()));
        let turn = self.set.turn(timeout.into_iter().chain(until_start).min())?;
        for ended in turn.ended {
            if let Some(name) = self.by_id.get(&ended.id).cloned() {
                drop(ended.store);
                self.ended(&name, &ended.error, Some(ended.stats));
            }
        }
        if until_start.is_some() {
            self.start_waiting();
        }
        Ok(turn.callbacks)
    }

    /// Returns a waker that ends the wait of a turn from any thread.
    pub fn waker(&self) -> Waker {
        self.set.waker()
    }

    /// Returns the status of a plugin.
    pub fn status(&mut self, name: &str) -> Option<PluginStatus> {
        let member = self.members.get_mut(name)?;
        let mut life = None;
        if let Some(live) = &member.live {
            member.status.memory = live.traces.memory.bytes();
            life = self.set.stats(live.id);
        }
        let mut status = member.status.view(name, Instant::now());
        if let Some(life) = life {
            status.stats = member.status.with_earlier(life);
            if !life.alive {
                status.state = State::Parked;
            }
        }
        Some(status)
    }

    /// Returns the names of all plugins, those that have ended included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(|name| &**name)
    }

    /// Asks the running instance for its state. An instance that fails is ended. The error is the
    /// reason why the instance is kept.
    fn hand_over(&mut self, name: &Arc<str>) -> Result<Option<Vec<u8>>, String> {
        let Some(member) = self.members.get(name) else { return Ok(None) };
        let Some(Live { id, instance, .. }) = &member.live else { return Ok(None) };
        let (limits, instance) = (*member.spec.life_limits(), *instance);
        let Some(store) = self.set.store(*id) else { return Ok(None) };
        let handed_over = within(store, limits.hand_over, |store| {
            let Some(exports) = LifeExports::of(store, &instance)? else { return Ok(Ok(None)) };
            let (state,) = exports.hand_over.call(&mut *store, ())?;
            Ok(check_state(state, limits.state))
        });
        match handed_over {
            Ok(state) => state,
            Err(error) => {
                let reason = match (&member.live, error.is::<DeadlineExceeded>()) {
                    (Some(live), false) => live.traces.failure(&error).reason,
                    _ => format!(
                        "its hand-over took longer than {} s (limits.hand_over)",
                        limits.hand_over.as_secs_f64()
                    ),
                };
                let sentence = format!("{reason}; the new version starts without its state");
                member.log.tell(Level::ERROR, &sentence);
                self.end_life(name);
                Ok(None)
            }
        }
    }

    /// Starts an instance.
    fn start(
        &mut self,
        spec: &PluginSpec<T>,
        log: &Arc<PluginLog>,
        state: Option<Vec<u8>>,
    ) -> Result<Live, End> {
        spec.check().map_err(|error| End::unfit(&error))?;
        let limits = spec.life_limits();
        let (mut seat, traces) = spec.seat(log);
        if limits.callback.is_none() {
            seat.uv.callback_deadline(CALLBACK);
        }
        let made = caught(|| spec.store(seat)).map_err(|panic| End::failed(format!("its grants {panic}")))?;
        let mut store = made.map_err(|error| End::not_made(&error))?;
        interrupt_by_epochs_sync(&mut store);
        set_deadline(&mut store, Instant::now().checked_add(limits.start));
        let too_slow = |error: &wasmtime::Error, end: End| match error.is::<DeadlineExceeded>() {
            true => {
                let seconds = limits.start.as_secs_f64();
                End::failed(format!("its start took longer than {seconds} s (limits.start)"))
            }
            false => end,
        };
        let (id, instance) = self
            .set
            .instantiate(store, spec.pre())
            .map_err(|error| too_slow(&error, traces.failure(&error)))?;
        let begun = match self.set.store(id) {
            Some(store) => caught(|| init(spec, store, &instance, state)),
            None => Err("is gone".into()),
        };
        let end = match begun {
            Ok(Ok(Ok(()))) => {
                if let Some(store) = self.set.store(id) {
                    set_deadline(store, None);
                }
                return Ok(Live { id, instance, traces });
            }
            Ok(Ok(Err(refused))) => End::refused(&refused),
            Ok(Err(error)) => too_slow(&error, traces.in_init(&error)),
            Err(panic) => End::failed(format!("its start hook {panic}")),
        };
        drop(self.set.remove(id));
        Err(end)
    }

    /// Records the start of a member.
    fn begun(&mut self, name: &Arc<str>, started: Result<Live, End>) -> Result<(), String> {
        let Some(member) = self.members.get_mut(name) else { return Ok(()) };
        member.begun = Instant::now();
        match started {
            Ok(live) => {
                self.by_id.insert(live.id, name.clone());
                member.status.memory_limit = live.traces.limit;
                member.status.problem = None;
                member.status.enter(State::Running, None);
                member.live = Some(live);
                member.log.tell(Level::INFO, "it runs");
                Ok(())
            }
            Err(end) => {
                let reason = end.reason.clone();
                self.wait(name, end, Duration::ZERO);
                Err(reason)
            }
        }
    }

    fn start_waiting(&mut self) {
        let now = Instant::now();
        while self.waiting.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, name)) = self.waiting.pop_first() else { return };
            let Some(member) = self.members.get_mut(&name) else { continue };
            member.status.restarts += 1;
            let (spec, log) = (member.spec.clone(), member.log.clone());
            let started = self.start(&spec, &log, None);
            // The reason is in the status.
            let _ = self.begun(&name, started);
        }
    }

    /// A member has ended by itself.
    fn ended(&mut self, name: &Arc<str>, error: &wasmtime::Error, stats: Option<PluginStats>) {
        let Some(member) = self.members.get(name) else { return };
        let Some(live) = &member.live else { return };
        let (end, lived) = (live.traces.failure(error), member.begun.elapsed());
        self.end_life_with(name, stats);
        self.wait(name, end, lived);
    }

    /// Removes the running instance of a member, and forgets when it was to be started.
    fn end_life(&mut self, name: &str) {
        self.end_life_with(name, None);
    }

    /// The same with the last counters of an instance that is no longer in the set.
    fn end_life_with(&mut self, name: &str, stats: Option<PluginStats>) {
        let Some(member) = self.members.get_mut(name) else { return };
        if let Some(until) = member.status.until.take() {
            self.waiting.remove(&(until, member.log.plugin().clone()));
        }
        let Some(live) = member.live.take() else { return };
        self.by_id.remove(&live.id);
        member.status.end_life(stats.or_else(|| self.set.stats(live.id)).unwrap_or_default());
        drop(self.set.remove(live.id));
    }

    /// Waits for the next start of a member, if there is one.
    fn wait(&mut self, name: &Arc<str>, end: End, lived: Duration) {
        let Some(member) = self.members.get_mut(name) else { return };
        let End { ending, reason } = end;
        let restart = member.spec.restart_policy();
        let wait = member.back_off.ended(&restart, ending, lived);
        match wait.and_then(|wait| Some((wait, Instant::now().checked_add(wait)?))) {
            Some((wait, until)) => {
                let seconds = wait.as_secs_f64();
                member.log.tell(Level::WARN, &format!("{reason}; it is started again in {seconds} s"));
                member.status.enter(State::BackingOff, Some(reason));
                member.status.until = Some(until);
                self.waiting.insert((until, name.clone()));
            }
            None => {
                member.log.tell(Level::ERROR, &format!("{reason}; it is not started again"));
                let state = if ending == Ending::Finished { State::Stopped } else { State::Failed };
                member.status.enter(state, Some(reason));
            }
        }
    }

    /// A newer version cannot be run.
    fn keep(&mut self, name: &Arc<str>, problem: &str) {
        if let Some(member) = self.members.get_mut(name) {
            let problem = one_line(problem);
            member.log.tell(Level::ERROR, &format!("{problem}; the version from before goes on"));
            member.status.problem = Some(problem);
        }
    }
}

/// Calls the exports with which an instance begins.
fn init<T: PluginState>(
    spec: &PluginSpec<T>,
    store: &mut Store<T>,
    instance: &Instance,
    state: Option<Vec<u8>>,
) -> wasmtime::Result<Result<(), String>> {
    if let Some(exports) = LifeExports::of(store, instance)? {
        let (begun,) = exports.init.call(&mut *store, (spec.life_config().to_vec(), state))?;
        if begun.is_err() {
            return Ok(begun);
        }
    }
    match spec.start_hook() {
        Some(hook) => hook(store, instance),
        None => Ok(Ok(())),
    }
}

/// Calls a plugin within a time, which the engine's epochs enforce.
fn within<T: PluginState, R>(
    store: &mut Store<T>,
    limit: Duration,
    call: impl FnOnce(&mut Store<T>) -> wasmtime::Result<R>,
) -> wasmtime::Result<R> {
    set_deadline(store, Instant::now().checked_add(limit));
    let result = call(store);
    set_deadline(store, None);
    result
}

fn set_deadline<T: PluginState>(store: &mut Store<T>, deadline: Option<Instant>) {
    if let Some(watch) = &mut store.data_mut().uv().ctx.watch {
        watch.set_deadline(deadline);
    }
}

/// Calls a function of the embedder.
fn caught<R>(call: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| "panicked".into())
}

impl<T> fmt::Debug for SupervisedSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SupervisedSet").field("plugins", &self.members.len()).finish_non_exhaustive()
    }
}
