//! The task that watches one plugin of a [`Supervisor`](super::Supervisor).
//!
//! It starts the plugin, notices its end, waits as the restart policy says, and starts it again. It
//! executes commands in every state of the plugin.

use super::end::End;
use super::life::{HandOver, Life, Start};
use super::log::PluginLog;
use super::restart::{BackOff, Ending, Policy};
use super::spec::{PluginSpec, PluginState};
use super::status::{State, Status};
use super::text::one_line;
use crate::grants::async_sender::AsyncSender;
use crate::plugin::PluginHandle;
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, sleep_until};
use tracing::Level;
use wasmtime::component::Instance;

/// A command to the task.
pub(crate) enum Command<T: 'static> {
    /// Run this version in the place of the current one. The outcome is sent once it is known.
    Run(PluginSpec<T>, oneshot::Sender<Result<(), String>>),
    /// A newer version cannot be run, for the reason in this sentence.
    Broken(String),
    /// End the plugin and the task. The answer is whether the plugin ended by itself.
    Stop(oneshot::Sender<bool>),
}

/// The state that the task shares with the supervisor.
pub(crate) struct Watched<T: 'static> {
    status: Mutex<Status>,
    /// The running plugin, for calls.
    running: Mutex<Option<Running<T>>>,
}

/// A running plugin.
pub(crate) struct Running<T: 'static> {
    pub handle: PluginHandle<T>,
    pub instance: Instance,
    /// The time of a call.
    pub limit: Duration,
}

impl<T> Clone for Running<T> {
    fn clone(&self) -> Running<T> {
        Running { handle: self.handle.clone(), instance: self.instance, limit: self.limit }
    }
}

impl<T> Watched<T> {
    pub(crate) fn new() -> Arc<Watched<T>> {
        Arc::new(Watched { status: Mutex::new(Status::new()), running: Mutex::new(None) })
    }

    pub(crate) fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn running(&self) -> Option<Running<T>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_running(&self, running: Option<Running<T>>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = running;
    }
}

pub(crate) struct Watch<T: 'static> {
    log: Arc<PluginLog>,
    watched: Arc<Watched<T>>,
    commands: mpsc::UnboundedReceiver<Command<T>>,
    mailbox: AsyncSender,
    /// A command that ended a start.
    next: Option<Command<T>>,
}

/// The plugin as the task has it.
enum Phase<T: 'static> {
    /// No version has been started.
    Ended,
    Running(Version<T>, Box<Life<T>>),
    /// The version is started again at this time. `None` is never.
    Waiting(Version<T>, Option<tokio::time::Instant>),
}

/// A version of the plugin, and the state of its restarts.
struct Version<T: 'static> {
    spec: PluginSpec<T>,
    back_off: BackOff,
    begun: Instant,
}

/// The interval at which the status is updated.
const TICK: Duration = Duration::from_secs(1);

impl<T: PluginState + Send> Watch<T> {
    pub(crate) fn new(
        log: Arc<PluginLog>,
        watched: Arc<Watched<T>>,
        commands: mpsc::UnboundedReceiver<Command<T>>,
        mailbox: AsyncSender,
    ) -> Watch<T> {
        Watch { log, watched, commands, mailbox, next: None }
    }

    /// Watches the plugin until the command to stop, or until the supervisor is gone.
    pub(crate) async fn run(mut self) {
        let mut phase = Phase::Ended;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = match self.next.take() {
                Some(command) => Event::Command(Some(command)),
                None => tokio::select! {
                    command = self.commands.recv() => Event::Command(command),
                    event = phase.event() => event,
                    _ = ticks.tick() => Event::Tick,
                },
            };
            phase = match event {
                Event::Tick => self.sample(phase).await,
                Event::Ended(end) => self.ended(phase, end),
                Event::Due => self.start_again(phase).await,
                Event::Command(Some(Command::Run(spec, outcome))) => self.replace(phase, spec, outcome).await,
                Event::Command(Some(Command::Broken(problem))) => {
                    let goes_on = !matches!(phase, Phase::Ended | Phase::Waiting(_, None));
                    self.broken(problem, goes_on);
                    phase
                }
                Event::Command(Some(Command::Stop(done))) => {
                    let orderly = match phase {
                        Phase::Running(version, life) => self.stop(&version.spec, *life).await,
                        Phase::Ended | Phase::Waiting(..) => true,
                    };
                    self.watched.status().enter(State::Stopped, Some("it was stopped".into()));
                    // The caller may have stopped waiting.
                    let _ = done.send(orderly);
                    return;
                }
                Event::Command(None) => return self.watched.set_running(None),
            };
        }
    }

    /// Starts a version that has waited.
    async fn start_again(&mut self, phase: Phase<T>) -> Phase<T> {
        let Phase::Waiting(version, _) = phase else { return phase };
        self.watched.status().enter(State::Starting, None);
        let begun = self.start(&version.spec, None).await;
        if begun.is_some() {
            self.watched.status().restarts += 1;
        }
        self.begun(version, begun)
    }

    /// Starts an instance. `None` if a command came before it had started.
    async fn start(&mut self, spec: &PluginSpec<T>, state: Option<Vec<u8>>) -> Option<Result<Life<T>, End>> {
        let mut task = None;
        let result = {
            let start = Start { spec, log: &self.log, mailbox: &self.mailbox, state };
            let mut begun = pin!(Life::begin(start, &mut task));
            loop {
                tokio::select! {
                    begun = &mut begun => break Some(begun),
                    command = self.commands.recv() => match command {
                        Some(Command::Broken(problem)) => self.broken(problem, true),
                        command => {
                            self.next = command;
                            break None;
                        }
                    },
                }
            }
        };
        if result.is_none()
            && let Some(task) = task
        {
            // It has not started, so it has nothing to complete.
            task.end().await;
        }
        result
    }

    /// The phase after the start of a version.
    fn begun(&mut self, version: Version<T>, begun: Option<Result<Life<T>, End>>) -> Phase<T> {
        match begun {
            // The command comes next, or the supervisor is gone.
            None => Phase::Waiting(version, None),
            Some(Ok(life)) => self.runs(version, life),
            Some(Err(end)) => self.wait(version, end, Duration::ZERO),
        }
    }

    fn runs(&self, version: Version<T>, life: Life<T>) -> Phase<T> {
        let limit = version.spec.life_limits().call;
        let (handle, instance) = (life.handle.clone(), life.instance);
        self.watched.set_running(Some(Running { handle, instance, limit }));
        self.watched.status().enter(State::Running, None);
        self.log.tell(Level::INFO, "it runs");
        Phase::Running(Version { begun: Instant::now(), ..version }, Box::new(life))
    }

    /// Runs a version in the place of the current one.
    async fn replace(
        &mut self,
        phase: Phase<T>,
        spec: PluginSpec<T>,
        outcome: oneshot::Sender<Result<(), String>>,
    ) -> Phase<T> {
        let mut old = match phase {
            Phase::Running(version, life) => Some((version, life)),
            Phase::Ended | Phase::Waiting(..) => None,
        };
        let mut paused = None;
        if let Some((version, life)) = &old {
            match life.pause(&version.spec).await {
                HandOver::Paused(now) => paused = Some(now),
                HandOver::Refused(reason) => {
                    self.broken(reason.clone(), true);
                    // The caller may have stopped waiting.
                    let _ = outcome.send(Err(reason));
                    return old.map_or(Phase::Ended, |(version, life)| Phase::Running(version, life));
                }
                HandOver::Failed(reason) => {
                    self.lost(&reason);
                    self.discard(old.take()).await;
                }
                HandOver::TooSlow => {
                    let seconds = version.spec.life_limits().hand_over.as_secs_f64();
                    self.lost(&format!("its hand-over took longer than {seconds} s (limits.hand_over)"));
                    self.discard(old.take()).await;
                }
            }
        }
        if old.is_none() {
            let mut status = self.watched.status();
            status.begin_version(spec.life_limits().memory);
            status.enter(State::Starting, None);
        }
        let state = paused.as_mut().and_then(|paused| paused.state.take());
        let begun = self.start(&spec, state).await;
        let result = match &begun {
            Some(Ok(_)) => Ok(()),
            Some(Err(end)) => Err(end.reason.clone()),
            None => Err("another command came before it had started".into()),
        };
        let version = Version { back_off: BackOff::new(), spec, begun: Instant::now() };
        let phase = match (old, begun) {
            (None, begun) => self.begun(version, begun),
            (Some((old_version, old)), Some(Ok(life))) => {
                self.watched.status().begin_version(version.spec.life_limits().memory);
                self.watched.set_running(None);
                if old.hands_over() {
                    let stats = old.end().await;
                    self.watched.status().end_life(stats);
                } else {
                    drop(paused);
                    self.stop(&old_version.spec, *old).await;
                }
                self.runs(version, life)
            }
            (Some((old_version, old)), begun) => {
                if let Some(Err(end)) = begun {
                    self.broken(end.reason, true);
                }
                Phase::Running(old_version, old)
            }
        };
        // The caller may have stopped waiting.
        let _ = outcome.send(result);
        phase
    }

    /// Ends an instance that cannot continue.
    async fn discard(&self, old: Option<(Version<T>, Box<Life<T>>)>) {
        self.watched.set_running(None);
        if let Some((_, life)) = old {
            let stats = life.end().await;
            self.watched.status().end_life(stats);
        }
    }

    fn lost(&self, reason: &str) {
        self.log.tell(Level::ERROR, &format!("{reason}; the new version starts without its state"));
    }

    /// Updates the status, and ends a parked plugin whose policy wants it.
    async fn sample(&self, phase: Phase<T>) -> Phase<T> {
        let Phase::Running(version, life) = phase else { return phase };
        let stats = life.stats();
        {
            let mut status = self.watched.status();
            status.sample(Instant::now(), stats);
            status.memory = life.memory();
            let change = match (status.state, stats.alive) {
                (State::Running, false) => Some((State::Parked, "it is parked: nothing keeps it alive")),
                (State::Parked, true) => Some((State::Running, "it is not parked any more")),
                _ => None,
            };
            if let Some((state, sentence)) = change {
                status.enter(state, None);
                self.log.tell(Level::INFO, sentence);
            }
        }
        if stats.alive || version.spec.restart_policy().policy != Policy::Always {
            return Phase::Running(version, life);
        }
        self.stop(&version.spec, *life).await;
        let lived = version.begun.elapsed();
        self.wait(version, End::finished("nothing keeps it alive any more"), lived)
    }

    async fn stop(&self, spec: &PluginSpec<T>, life: Life<T>) -> bool {
        self.watched.set_running(None);
        let grace = spec.life_limits().stop;
        let (orderly, stats) = life.stop(grace).await;
        self.watched.status().end_life(stats);
        match orderly {
            true => self.log.tell(Level::INFO, "it has stopped"),
            false => {
                let grace = grace.as_secs_f64();
                let sentence = format!("it did not stop within {grace} s, and was interrupted");
                self.log.tell(Level::WARN, &sentence);
            }
        }
        orderly
    }

    /// The plugin has ended by itself.
    fn ended(&self, phase: Phase<T>, end: End) -> Phase<T> {
        let Phase::Running(version, life) = phase else { return phase };
        self.watched.set_running(None);
        self.watched.status().end_life(life.stats());
        let lived = version.begun.elapsed();
        self.wait(version, end, lived)
    }

    /// Waits for the next start of a version, if there is one.
    fn wait(&self, mut version: Version<T>, end: End, lived: Duration) -> Phase<T> {
        let End { ending, reason } = end;
        let wait = version.back_off.ended(&version.spec.restart_policy(), ending, lived);
        let mut status = self.watched.status();
        let Some(wait) = wait else {
            match ending {
                Ending::Failed | Ending::Unfit => {
                    self.log.tell(Level::ERROR, &format!("{reason}; it is not started again"));
                    status.enter(State::Failed, Some(reason));
                }
                Ending::Finished => {
                    self.log.tell(Level::INFO, &reason);
                    status.enter(State::Stopped, Some(reason));
                }
            }
            return Phase::Waiting(version, None);
        };
        self.log.tell(Level::WARN, &format!("{reason}; it is started again in {} s", wait.as_secs_f64()));
        status.enter(State::BackingOff, Some(reason));
        status.until = Instant::now().checked_add(wait);
        Phase::Waiting(version, tokio::time::Instant::now().checked_add(wait))
    }

    /// A version cannot be run. A running or waiting version is not affected.
    fn broken(&self, problem: String, goes_on: bool) {
        let problem = one_line(problem);
        let mut status = self.watched.status();
        if goes_on {
            self.log.tell(Level::ERROR, &format!("{problem}; the version from before goes on"));
            status.problem = Some(problem);
        } else {
            self.log.tell(Level::ERROR, &problem);
            status.enter(State::Failed, Some(problem));
        }
    }
}

/// An event in the task of a plugin.
enum Event<T: 'static> {
    /// No command: the supervisor is gone.
    Command(Option<Command<T>>),
    /// The plugin has ended by itself.
    Ended(End),
    /// The version is to be started again.
    Due,
    /// The status is to be updated.
    Tick,
}

impl<T: PluginState + Send> Phase<T> {
    /// Waits for the next event of the plugin. The future may be dropped.
    async fn event(&mut self) -> Event<T> {
        match self {
            Phase::Running(_, life) => Event::Ended(life.ended().await),
            Phase::Waiting(_, Some(at)) => {
                sleep_until(*at).await;
                Event::Due
            }
            Phase::Waiting(_, None) | Phase::Ended => pending().await,
        }
    }
}
