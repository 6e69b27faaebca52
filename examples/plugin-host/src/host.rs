//! All plugins: loading and reloading the directory.

use crate::cli::Cli;
use crate::component::{Components, Exports, in_one_line};
use crate::directory::{self, Found, Parts};
use crate::grants::{self, Granted, Listeners};
use crate::guest::Guest;
use crate::view::View;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tracing::Level;
use uv_handles_host::EpochTicker;
use uv_handles_host::supervisor::{LogLine, LogSource, PluginSpec, Refusal, State, Supervisor};

/// The time that a plugin may compute before others have their turn.
const EPOCH: Duration = Duration::from_millis(10);

pub struct Host {
    directory: PathBuf,
    grace: Duration,
    components: Components,
    pub supervisor: Supervisor<Guest>,
    plugins: Mutex<Plugins>,
    /// One reload at a time.
    reloading: tokio::sync::Mutex<()>,
    /// Interrupts plugins that compute without end.
    _ticker: EpochTicker,
}

#[derive(Default)]
struct Plugins {
    by_name: BTreeMap<String, Plugin>,
    /// The reason why the directory cannot be read.
    problem: Option<String>,
}

/// The host's entry of a plugin.
#[derive(Default)]
struct Plugin {
    /// The fingerprint of the parts that were loaded last.
    fingerprint: Option<u64>,
    shared: Arc<Shared>,
}

/// The grants of a plugin that outlive it, and those of the life that runs.
#[derive(Default)]
struct Shared {
    listeners: Mutex<Listeners>,
    /// The component's file, and the grants.
    running: Mutex<(String, Granted)>,
}
type Changed = (String, Found, Arc<Shared>);
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host {
    /// Creates a host without plugins. [`Host::reload`] loads them.
    pub fn new(cli: &Cli) -> Result<Host, String> {
        // The old and the new version of a plugin exist at the same time while it is replaced.
        let components = Components::new(2 * cli.capacity, !cli.no_cache);
        let components = components.map_err(|error| format!("wasmtime: {}", in_one_line(&error)))?;
        let ticker =
            EpochTicker::start(components.engine(), EPOCH).map_err(|error| format!("no thread: {error}"))?;
        Ok(Host {
            directory: cli.directory.clone(),
            grace: cli.grace.0,
            components,
            supervisor: Supervisor::with_log(log),
            plugins: Mutex::default(),
            reloading: tokio::sync::Mutex::default(),
            _ticker: ticker,
        })
    }

    /// Reads the directory. Starts new plugins, replaces changed ones and stops removed ones.
    /// Unchanged plugins are not affected, unless they have ended: those are started again.
    pub async fn reload(self: Arc<Host>) -> Result<(), String> {
        let _one = self.reloading.lock().await;
        let directory = self.directory.clone();
        let found = tokio::task::spawn_blocking(move || directory::scan(&directory)).await;
        let found = found.map_err(|error| error.to_string()).flatten();
        lock(&self.plugins).problem = found.as_ref().err().cloned();
        let found = found?;

        let total = found.len();
        let (removed, changed) = self.sort(found);
        let (removed_count, changed_count) = (removed.len(), changed.len());
        let mut tasks = JoinSet::new();
        for name in removed {
            tracing::info!("{name}: its manifest is gone; it is stopped");
            let stopped = self.supervisor.remove(&name);
            tasks.spawn(async {
                stopped.await;
            });
        }
        for (name, found, shared) in changed {
            let host = self.clone();
            tasks.spawn_blocking(move || match found.parts.and_then(|parts| host.spec(parts, shared)) {
                Ok(spec) => drop(host.supervisor.run(&name, &spec)),
                Err(problem) => host.supervisor.report_broken(&name, problem),
            });
        }
        while tasks.join_next().await.is_some() {}
        let same = total - changed_count;
        tracing::info!("read: {changed_count} new or changed, {same} as they were, {removed_count} gone");
        Ok(())
    }

    /// Removes plugins without a manifest. Returns their names, and the plugins to load.
    fn sort(&self, found: BTreeMap<String, Found>) -> (Vec<String>, Vec<Changed>) {
        let mut plugins = lock(&self.plugins);
        let removed = plugins.by_name.extract_if(.., |name, _| !found.contains_key(name));
        let removed = removed.map(|(name, _)| name).collect();
        // All of them are known before the first is started: they may be connected with each other.
        found.keys().for_each(|name| drop(self.supervisor.mailboxes().of(name)));
        let mut changed = Vec::new();
        for (name, found) in found {
            let plugin = plugins.by_name.entry(name.clone()).or_default();
            let ended = matches!(self.supervisor.state(&name), Some(State::Failed | State::Stopped));
            if plugin.fingerprint.replace(found.fingerprint) != Some(found.fingerprint) || ended {
                changed.push((name, found, plugin.shared.clone()));
            }
        }
        (removed, changed)
    }

    /// Describes a plugin for the supervisor.
    fn spec(&self, parts: Parts, shared: Arc<Shared>) -> Result<PluginSpec<Guest>, String> {
        let Parts { manifest, component: file, bytes } = parts;
        let pre = self.components.link(&file, &bytes)?;
        let manifest = Arc::new(manifest);
        let (mailboxes, granting, granted) =
            (self.supervisor.mailboxes().clone(), manifest.clone(), shared.clone());
        let spec = PluginSpec::new(pre.instance_pre(), move |mut seat| {
            let listeners = &mut lock(&granted.listeners);
            let grants = grants::make(&mut seat.uv, &seat.log, &granting, &mailboxes, listeners);
            let grants = grants.map_err(wasmtime::Error::msg)?;
            let uv = seat.uv.build();
            Ok(Guest::new(seat, uv, grants))
        });
        let spec = spec.restart((&manifest.restart).into()).limits(|life| {
            let memory = manifest.limits.memory.map(|size| usize::try_from(size.0).unwrap_or(usize::MAX));
            life.memory = memory.unwrap_or(life.memory);
            life.start = manifest.limits.start.map_or(life.start, |time| time.0);
            life.stop = self.grace;
        });
        Ok(spec.on_start_async(move |store, instance| {
            let (manifest, shared, file) = (manifest.clone(), shared.clone(), file.clone());
            Box::pin(async move {
                let exports = Exports::new(&mut *store, &instance)?;
                let config: Vec<_> =
                    manifest.config.iter().map(|(key, value)| (key.clone(), value.0.clone())).collect();
                let begun = exports.call_init(&mut *store, &config).await?;
                if begun.is_ok() {
                    lock(&shared.listeners).retain(&manifest);
                    *lock(&shared.running) = (file, store.data().granted.clone());
                }
                Ok(begun)
            })
        }))
    }

    /// Returns the present views of all plugins, by name.
    pub fn views(&self) -> Vec<View> {
        let plugins = lock(&self.plugins);
        let views = self.supervisor.statuses().into_iter().map(|status| {
            let shared = plugins.by_name.get(&status.name).map(|plugin| lock(&plugin.shared.running).clone());
            let (component, granted) = shared.unwrap_or_default();
            View { status, component, listens: granted.listens }
        });
        views.collect()
    }

    /// Returns the reason why the directory cannot be read, if any.
    pub fn problem(&self) -> Option<String> {
        lock(&self.plugins).problem.clone()
    }

    /// Sends an async handle that a plugin's manifest grants.
    pub fn send_handle(&self, name: &str, handle: &str) -> Result<(), Refusal> {
        self.supervisor.send_handle(name, || {
            let plugins = lock(&self.plugins);
            let running = plugins.by_name.get(name).map(|plugin| lock(&plugin.shared.running));
            let sender = running.and_then(|running| running.1.async_handles.get(handle).cloned());
            sender.ok_or_else(|| {
                Refusal::Unknown(format!("the manifest of {name} grants no async handle of that name"))
            })
        })
    }
}

/// Writes a line of a plugin's log.
fn log(line: &LogLine<'_>) {
    let says = if line.source == LogSource::Supervisor { ":" } else { " says:" };
    let (plugin, text) = (line.plugin, line.text);
    match line.level {
        Level::ERROR => tracing::error!("{plugin}{says} {text}"),
        Level::WARN => tracing::warn!("{plugin}{says} {text}"),
        _ => tracing::info!("{plugin}{says} {text}"),
    }
}
