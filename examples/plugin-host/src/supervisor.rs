//! The task that supervises one plugin. It starts the plugin, notices its end, waits as its
//! manifest says, and restarts it. It executes commands of the host in every state of the plugin.

use crate::component::Version;
use crate::grants::{Listeners, Mailboxes};
use crate::life::{End, Life};
use crate::log::Log;
use crate::restart::{BackOff, Ending, Policy};
use crate::status::{Shared, State};
use crate::text::one_line;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};

/// Commands from the host to a supervisor.
pub enum Command {
    /// Run this version in the place of the current one.
    Run(Box<Version>),
    /// A newer version cannot be run, for the reason in this sentence.
    Broken(String),
    /// End the plugin and the supervisor. The answer is whether the plugin ended by itself.
    Stop(oneshot::Sender<bool>),
}

/// The command that ended the current life, and whether the life ended by itself. No command: the
/// host is gone.
struct Told {
    command: Option<Command>,
    orderly: bool,
}

pub struct Supervisor {
    pub name: Arc<str>,
    pub log: Arc<Log>,
    pub shared: Shared,
    pub commands: mpsc::UnboundedReceiver<Command>,
    pub mailboxes: Arc<Mailboxes>,
    /// How long a plugin may take to stop.
    pub grace: Duration,
}

/// The interval at which the status is updated.
const TICK: Duration = Duration::from_secs(1);

impl Supervisor {
    /// Supervises the plugin until the command to stop, or until the host is gone.
    pub async fn run(mut self) {
        let mut listeners = Listeners::default();
        let mut current: Option<Box<Version>> = None;
        loop {
            let told = match &current {
                Some(version) => self.lives(version, &mut listeners).await,
                None => Told { command: self.commands.recv().await, orderly: true },
            };
            match told.command {
                Some(Command::Run(version)) => {
                    let mut status = self.shared.lock();
                    status.component.clone_from(&version.file);
                    status.memory_limit = version.manifest.limits.memory.0;
                    status.mailbox_bytes = version.manifest.limits.mailbox_bytes.0;
                    status.problem = None;
                    current = Some(version);
                }
                Some(Command::Broken(problem)) => self.broken(problem, false),
                Some(Command::Stop(done)) => {
                    self.shared.lock().enter(State::Stopped, Some("it was stopped".into()));
                    // The host may have stopped waiting.
                    let _ = done.send(told.orderly);
                    return;
                }
                None => return,
            }
        }
    }

    /// Runs lives of a version one after the other, until the next command of the host.
    async fn lives(&mut self, version: &Version, listeners: &mut Listeners) -> Told {
        let mut back_off = BackOff::new(version.manifest.restart);
        loop {
            let begun = Instant::now();
            let end = match self.live(version, listeners).await {
                Ok(end) => end,
                Err(told) => return told,
            };
            let wait = back_off.ended(end.ending, begun.elapsed());
            self.ended(end, wait);
            let mut over = pin!(async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => pending().await,
                }
            });
            loop {
                tokio::select! {
                    command = self.commands.recv() => match command {
                        Some(Command::Broken(problem)) => self.broken(problem, wait.is_some()),
                        command => return Told { command, orderly: true },
                    },
                    () = &mut over => break,
                }
            }
            self.shared.lock().restarts += 1;
        }
    }

    /// Runs one life. Returns how it ended, unless the host ended it.
    async fn live(&mut self, version: &Version, listeners: &mut Listeners) -> Result<End, Told> {
        self.shared.lock().enter(State::Starting, None);
        let mut task = None;
        let begun = {
            let mut begun = pin!(Life::begin(&self.log, version, &self.mailboxes, listeners, &mut task));
            loop {
                tokio::select! {
                    begun = &mut begun => break Ok(begun),
                    command = self.commands.recv() => match command {
                        Some(Command::Broken(problem)) => self.broken(problem, true),
                        command => break Err(command),
                    },
                }
            }
        };
        let (mut life, granted) = match begun {
            Ok(Ok(begun)) => begun,
            Ok(Err(end)) => return Ok(end),
            Err(command) => {
                // It has not started, so it has nothing to complete.
                if let Some(task) = task {
                    task.end().await;
                }
                return Err(Told { command, orderly: true });
            }
        };
        {
            let mut status = self.shared.lock();
            (status.listens, status.async_handles) = (granted.listens, granted.async_handles);
            status.enter(State::Running, None);
        }
        tracing::info!("{}: it runs", self.name);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                end = life.ended() => {
                    self.shared.lock().end_life(Instant::now(), life.stats());
                    return Ok(end);
                }
                _ = ticks.tick() => {
                    let parked = self.sample(&life);
                    if parked && version.manifest.restart.policy == Policy::Always {
                        self.stop(life).await;
                        let reason = "nothing keeps it alive any more".into();
                        return Ok(End { ending: Ending::Finished, reason });
                    }
                }
                command = self.commands.recv() => match command {
                    Some(Command::Broken(problem)) => self.broken(problem, true),
                    command => {
                        let orderly = self.stop(life).await;
                        return Err(Told { command, orderly });
                    }
                },
            }
        }
    }

    /// Updates the status. Returns whether the plugin is parked.
    fn sample(&self, life: &Life) -> bool {
        let stats = life.stats();
        let mut status = self.shared.lock();
        status.sample(Instant::now(), stats);
        status.memory = life.memory();
        let (state, log) = match (status.state, stats.alive) {
            (State::Running, false) => (State::Parked, "it is parked: nothing keeps it alive"),
            (State::Parked, true) => (State::Running, "it is not parked any more"),
            _ => return !stats.alive,
        };
        status.enter(state, None);
        tracing::info!("{}: {log}", self.name);
        !stats.alive
    }

    async fn stop(&self, life: Life) -> bool {
        let (orderly, stats) = life.stop(self.grace).await;
        self.shared.lock().end_life(Instant::now(), stats);
        match orderly {
            true => tracing::info!("{}: it has stopped", self.name),
            false => {
                let grace = self.grace.as_secs_f64();
                tracing::warn!("{}: it did not stop within {grace} s, and was interrupted", self.name);
            }
        }
        orderly
    }

    fn ended(&self, end: End, wait: Option<Duration>) {
        let End { ending, reason } = end;
        let mut status = self.shared.lock();
        let name = &self.name;
        match (ending, wait) {
            (_, Some(wait)) => {
                tracing::warn!("{name}: {reason}; it is started again in {} s", wait.as_secs_f64());
                status.enter(State::BackingOff, Some(reason));
                status.until = Instant::now().checked_add(wait);
            }
            (Ending::Failed, None) => {
                tracing::error!("{name}: {reason}; it is not started again");
                status.enter(State::Failed, Some(reason));
            }
            (Ending::Finished, None) => {
                tracing::info!("{name}: {reason}");
                status.enter(State::Stopped, Some(reason));
            }
        }
    }

    /// The version in the directory cannot be run. A running or waiting version is not affected.
    fn broken(&self, problem: String, goes_on: bool) {
        let problem = one_line(problem);
        let mut status = self.shared.lock();
        let name = &self.name;
        if goes_on {
            tracing::error!("{name}: {problem}; the version from before goes on");
            status.problem = Some(problem);
        } else {
            tracing::error!("{name}: {problem}");
            status.enter(State::Failed, Some(problem));
        }
    }
}
