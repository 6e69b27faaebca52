//! All plugins: loading and reloading the directory, messages to plugins, and the end.

use crate::cli::Cli;
use crate::component::{Components, in_one_line};
use crate::directory::{self, Found};
use crate::grants::{MAILBOX, Mailboxes};
use crate::log::Log;
use crate::status::{Shared, State, View};
use crate::supervisor::{Command, Supervisor};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use uv_handles_host::{AsyncSender, EpochTicker, SendError};

/// The time that a plugin may compute before others have their turn.
const EPOCH: Duration = Duration::from_millis(10);

pub struct Host {
    directory: PathBuf,
    grace: Duration,
    components: Arc<Components>,
    mailboxes: Arc<Mailboxes>,
    plugins: Mutex<Plugins>,
    /// One reload at a time.
    reloading: tokio::sync::Mutex<()>,
    /// Interrupts plugins that compute without end.
    _ticker: EpochTicker,
}

#[derive(Default)]
struct Plugins {
    by_name: BTreeMap<String, Plugin>,
    /// No more plugins are started.
    stopping: bool,
    /// The reason why the directory cannot be read.
    problem: Option<String>,
}

/// The host's entry of a plugin.
struct Plugin {
    /// The fingerprint of the parts that were loaded last.
    fingerprint: u64,
    status: Shared,
    commands: mpsc::UnboundedSender<Command>,
    mailbox: AsyncSender,
}

/// The work of a reload.
#[derive(Default)]
struct Sorted {
    /// Plugins whose manifests are gone.
    removed: Vec<(String, Plugin)>,
    /// The plugins to load, and their supervisors.
    changed: Vec<(Found, mpsc::UnboundedSender<Command>)>,
}

/// The reason why a message or a send does not reach its plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such plugin or async handle.
    Unknown(String),
    /// The plugin has ended, or takes no messages.
    NotTaken(String),
    /// The plugin is about to start.
    NotNow(String),
    /// The mailbox is full.
    Full(String),
    /// The message is larger than the mailbox.
    TooLarge(String),
}

impl Host {
    /// Creates a host without plugins. [`Host::reload`] loads them.
    pub fn new(cli: &Cli) -> Result<Host, String> {
        let components = Components::new(cli.capacity, !cli.no_cache);
        let components = components.map_err(|error| format!("wasmtime: {}", in_one_line(&error)))?;
        let ticker =
            EpochTicker::start(components.engine(), EPOCH).map_err(|error| format!("no thread: {error}"))?;
        Ok(Host {
            directory: cli.directory.clone(),
            grace: cli.grace,
            components: Arc::new(components),
            mailboxes: Arc::default(),
            plugins: Mutex::default(),
            reloading: tokio::sync::Mutex::default(),
            _ticker: ticker,
        })
    }

    fn plugins(&self) -> MutexGuard<'_, Plugins> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the directory. Starts new plugins, replaces changed ones and stops removed ones.
    /// Unchanged plugins are not affected, unless they have ended: those are started again.
    pub async fn reload(&self) -> Result<(), String> {
        let _one = self.reloading.lock().await;
        let directory = self.directory.clone();
        let found = tokio::task::spawn_blocking(move || directory::scan(&directory)).await;
        let found = found.map_err(|error| error.to_string()).flatten();
        self.plugins().problem = found.as_ref().err().cloned();
        let found = found?;

        let total = found.len();
        let Sorted { removed, changed } = self.sort(found);
        let (removed_count, changed_count) = (removed.len(), changed.len());
        let mut tasks = JoinSet::new();
        for (name, plugin) in removed {
            tracing::info!("{name}: its manifest is gone; it is stopped");
            tasks.spawn(async move {
                plugin.stop().await;
            });
        }
        for (found, commands) in changed {
            let components = self.components.clone();
            tasks.spawn_blocking(move || {
                let command = match found.parts.and_then(|parts| components.version(parts)) {
                    Ok(version) => Command::Run(Box::new(version)),
                    Err(problem) => Command::Broken(problem),
                };
                // It fails for a plugin that has been stopped in the meantime.
                let _ = commands.send(command);
            });
        }
        while tasks.join_next().await.is_some() {}
        let same = total - changed_count;
        tracing::info!("read: {changed_count} new or changed, {same} as they were, {removed_count} gone");
        Ok(())
    }

    /// Removes plugins without a manifest, and returns the plugins to load.
    fn sort(&self, found: BTreeMap<String, Found>) -> Sorted {
        let mut plugins = self.plugins();
        if plugins.stopping {
            return Sorted::default();
        }
        let removed = plugins.by_name.extract_if(.., |name, _| !found.contains_key(name)).collect();
        // All of them are known before the first is started: they may be connected with each other.
        let names: Vec<String> = found.keys().cloned().collect();
        names.iter().for_each(|name| drop(self.mailboxes.of(name)));
        let mut changed = Vec::new();
        for (name, found) in found {
            let fingerprint = found.fingerprint;
            let plugin = plugins.by_name.entry(name);
            let new = matches!(plugin, std::collections::btree_map::Entry::Vacant(_));
            let name = plugin.key().clone();
            let plugin = plugin.or_insert_with(|| self.plugin(&name, fingerprint));
            let ended = matches!(plugin.status.lock().state, State::Failed | State::Stopped);
            if new || ended || plugin.fingerprint != fingerprint {
                plugin.fingerprint = fingerprint;
                changed.push((found, plugin.commands.clone()));
            }
        }
        Sorted { removed, changed }
    }

    fn plugin(&self, name: &str, fingerprint: u64) -> Plugin {
        let (commands, taken) = mpsc::unbounded_channel();
        let status = Shared::new();
        let name: Arc<str> = name.into();
        let supervisor = Supervisor {
            log: Log::new(&name),
            name: name.clone(),
            shared: status.clone(),
            commands: taken,
            mailboxes: self.mailboxes.clone(),
            grace: self.grace,
        };
        tokio::spawn(supervisor.run());
        Plugin { fingerprint, status, commands, mailbox: self.mailboxes.of(&name) }
    }

    /// Stops all plugins at the same time. Returns whether all of them ended by themselves.
    pub async fn stop(&self) -> bool {
        let mut tasks = JoinSet::new();
        {
            let mut plugins = self.plugins();
            plugins.stopping = true;
            for plugin in plugins.by_name.values() {
                tasks.spawn(plugin.stop());
            }
        }
        tasks.join_all().await.into_iter().all(|orderly| orderly)
    }

    /// Returns the present views of all plugins, by name.
    pub fn views(&self) -> Vec<View> {
        let now = Instant::now();
        let plugins = self.plugins();
        plugins.by_name.iter().map(|(name, plugin)| plugin.status.lock().view(name, now)).collect()
    }

    /// All plugins with their status, by name.
    pub fn statuses(&self) -> Vec<(String, Shared)> {
        let plugins = self.plugins();
        plugins.by_name.iter().map(|(name, plugin)| (name.clone(), plugin.status.clone())).collect()
    }

    /// Returns the reason why the directory cannot be read, if any.
    pub fn problem(&self) -> Option<String> {
        self.plugins().problem.clone()
    }

    /// Returns the length of the longest message that a plugin may take now.
    pub fn longest_message(&self, name: &str) -> Result<usize, Refusal> {
        let plugins = self.plugins();
        let plugin = plugins.by_name.get(name).ok_or_else(|| unknown(name))?;
        let mut status = plugin.status.lock();
        let refusal = match ended(name, status.state) {
            None if plugin.mailbox.is_open() => return Ok(status.mailbox_bytes),
            None => refused(name, status.state, MAILBOX, SendError::NotOpen),
            Some(refusal) => refusal,
        };
        status.messages.refused += 1;
        Err(refusal)
    }

    /// Records a message that is longer, and returns the refusal.
    pub fn too_large(&self, name: &str) -> Refusal {
        if let Some(plugin) = self.plugins().by_name.get(name) {
            plugin.status.lock().messages.refused += 1;
        }
        refused(name, State::Running, MAILBOX, SendError::TooLarge)
    }

    /// Puts a message into a plugin's mailbox.
    pub fn send(&self, name: &str, message: Vec<u8>) -> Result<(), Refusal> {
        let plugins = self.plugins();
        let plugin = plugins.by_name.get(name).ok_or_else(|| unknown(name))?;
        let mut status = plugin.status.lock();
        let sent = match ended(name, status.state) {
            Some(refusal) => Err(refusal),
            None => plugin
                .mailbox
                .send_message(message)
                .map_err(|error| refused(name, status.state, MAILBOX, error)),
        };
        match &sent {
            Ok(()) => status.messages.accepted += 1,
            Err(_) => status.messages.refused += 1,
        }
        sent
    }

    /// Sends an async handle that a plugin's manifest grants.
    pub fn send_handle(&self, name: &str, handle: &str) -> Result<(), Refusal> {
        let plugins = self.plugins();
        let plugin = plugins.by_name.get(name).ok_or_else(|| unknown(name))?;
        let status = plugin.status.lock();
        if let Some(refusal) = ended(name, status.state) {
            return Err(refusal);
        }
        let sender = status.async_handles.get(handle).ok_or_else(|| {
            Refusal::Unknown(format!("the manifest of {name} grants no async handle of that name"))
        })?;
        sender.send().map_err(|error| refused(name, status.state, handle, error))
    }
}

impl Plugin {
    /// Stops the plugin. Returns whether it ended by itself.
    fn stop(&self) -> impl Future<Output = bool> + Send + use<> {
        let (done, stopped) = oneshot::channel();
        let sent = self.commands.send(Command::Stop(done));
        async move {
            match sent {
                Ok(()) => stopped.await.unwrap_or(true),
                // It has been stopped.
                Err(_) => true,
            }
        }
    }
}

fn unknown(name: &str) -> Refusal {
    Refusal::Unknown(format!("there is no plugin {}", name.escape_debug()))
}

/// Returns the reason why a plugin in this state takes no messages.
fn ended(name: &str, state: State) -> Option<Refusal> {
    match state {
        State::Starting | State::Running => None,
        State::BackingOff => Some(Refusal::NotNow(format!("{name} has ended, and will be started again"))),
        State::Parked => Some(Refusal::NotTaken(format!("{name} is parked: nothing would read it"))),
        State::Failed => Some(Refusal::NotTaken(format!("{name} has failed, and does not run"))),
        State::Stopped => Some(Refusal::NotTaken(format!("{name} has stopped, and does not run"))),
    }
}

fn refused(name: &str, state: State, handle: &str, error: SendError) -> Refusal {
    match error {
        SendError::NotOpen | SendError::Closed if state == State::Starting => {
            Refusal::NotNow(format!("{name} is starting"))
        }
        SendError::Full => Refusal::Full(format!("the mailbox of {name} is full")),
        SendError::TooLarge => Refusal::TooLarge(format!(
            "the message is larger than the mailbox of {name} (limits.mailbox-bytes)"
        )),
        _ => Refusal::NotTaken(format!("{name} has no {handle} open")),
    }
}
