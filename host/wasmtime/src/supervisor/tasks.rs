//! The supervisor of plugins in the tasks of a tokio runtime.

use super::log::{LogLine, PluginLog, Sink};
use super::mailboxes::{MAILBOX, Mailboxes};
use super::refusal::Refusal;
use super::spec::{PluginSpec, PluginState};
use super::status::{PluginStatus, State};
use super::text::check_name;
use super::watch::{Command, Watch, Watched};
use crate::grants::async_sender::AsyncSender;
use crate::grants::send_error::SendError;
use crate::plugin::CallError;
use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};
use wasmtime::Store;
use wasmtime::component::Instance;

/// Runs plugins by name, each in a task of its own.
///
/// It starts them, starts those again that fail, replaces them by newer versions, logs their output
/// and keeps their counters. Clones share the plugins. When the last one is dropped, the plugins
/// end without notice; see [`stop`](Supervisor::stop).
///
/// The engine should have epochs, so that a plugin which computes without end can be interrupted:
/// see [`engine_config`](crate::engine_config) and [`EpochTicker`](crate::EpochTicker).
pub struct Supervisor<T: 'static> {
    shared: Arc<Shared<T>>,
}

struct Shared<T: 'static> {
    plugins: Mutex<Plugins<T>>,
    mailboxes: Arc<Mailboxes>,
    sink: Option<Sink>,
}

struct Plugins<T: 'static> {
    by_name: BTreeMap<String, Entry<T>>,
    /// No more plugins are started.
    stopping: bool,
}

struct Entry<T: 'static> {
    watched: Arc<Watched<T>>,
    commands: mpsc::UnboundedSender<Command<T>>,
    mailbox: AsyncSender,
}

/// The outcome of [`Supervisor::run`]: whether the plugin has started, or a sentence about why it has
/// not. The plugin starts also if this is dropped.
#[derive(Debug)]
pub struct Started(Result<oneshot::Receiver<Result<(), String>>, String>);

impl Future for Started {
    type Output = Result<(), String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), String>> {
        match &mut self.0 {
            Ok(outcome) => Pin::new(outcome)
                .poll(context)
                .map(|outcome| outcome.unwrap_or_else(|_| Err("it was stopped".into()))),
            Err(reason) => Poll::Ready(Err(reason.clone())),
        }
    }
}

impl<T: PluginState + Send> Supervisor<T> {
    /// Creates a supervisor whose log goes to `tracing`.
    pub fn new() -> Supervisor<T> {
        Supervisor::with_sink(None)
    }

    /// Creates a supervisor whose log goes to this function, which is called in any thread. A panic of
    /// it loses the line and nothing else.
    pub fn with_log(log: impl Fn(&LogLine<'_>) + Send + Sync + 'static) -> Supervisor<T> {
        Supervisor::with_sink(Some(Arc::new(log)))
    }

    fn with_sink(sink: Option<Sink>) -> Supervisor<T> {
        let plugins = Plugins { by_name: BTreeMap::new(), stopping: false };
        let shared = Shared { plugins: Mutex::new(plugins), mailboxes: Arc::default(), sink };
        Supervisor { shared: Arc::new(shared) }
    }

    fn plugins(&self) -> MutexGuard<'_, Plugins<T>> {
        self.shared.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a plugin, or replaces the plugin of that name.
    ///
    /// A plugin that runs is paused between two callbacks, and asked for its state. The new instance
    /// gets the state. If it starts, it takes the [`MAILBOX`] over with the messages in it. The old
    /// instance then ends at once if it exports `uv:handles/plugin-life`, and otherwise it is asked to
    /// stop. If the new instance cannot start, the old one continues, and
    /// [`PluginStatus::problem`] has the reason. An old instance that traps while it hands over, or
    /// does not return in time, is ended, and the new one starts without a state.
    ///
    /// Later starts after a failure begin without a state.
    ///
    /// A name that is empty, longer than 255 bytes, or has control characters is refused. A component
    /// that is no plugin has failed, and is not started again.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub fn run(&self, name: &str, spec: &PluginSpec<T>) -> Started {
        let (send, outcome) = oneshot::channel();
        Started(self.command(name, Command::Run(spec.clone(), send)).map(|()| outcome))
    }

    /// Reports that a version of a plugin cannot be run, in a sentence. A plugin of that name that
    /// runs continues; otherwise it has failed.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub fn report_broken(&self, name: &str, problem: impl Into<String>) {
        if let Err(reason) = self.command(name, Command::Broken(problem.into())) {
            tracing::warn!("the report of a version that cannot be run has no effect: {reason}");
        }
    }

    /// Sends a command to a plugin's task, which is made if there is none. The error is a sentence.
    fn command(&self, name: &str, command: Command<T>) -> Result<(), String> {
        check_name(name)?;
        let stopping = || String::from("the supervisor is stopping");
        let mut plugins = self.plugins();
        if plugins.stopping {
            return Err(stopping());
        }
        let entry = plugins.by_name.entry(name.to_owned()).or_insert_with(|| self.entry(name));
        entry.commands.send(command).map_err(|_| stopping())
    }

    fn entry(&self, name: &str) -> Entry<T> {
        let (commands, taken) = mpsc::unbounded_channel();
        let (watched, mailbox) = (Watched::new(), self.shared.mailboxes.of(name));
        let log = PluginLog::new(&name.into(), self.shared.sink.clone());
        tokio::spawn(Watch::new(log, watched.clone(), taken, mailbox.clone()).run());
        Entry { watched, commands, mailbox }
    }

    /// Removes a plugin, which is stopped. Returns whether it ended by itself.
    pub fn remove(&self, name: &str) -> impl Future<Output = bool> + Send + use<T> {
        let stopped = self.plugins().by_name.remove(name).map(|entry| entry.stop());
        async move {
            match stopped {
                Some(stopped) => stopped.await,
                None => true,
            }
        }
    }

    /// Stops all plugins at the same time, for good. Returns the names of those that did not end by
    /// themselves within [`LifeLimits::stop`](super::LifeLimits::stop), and were interrupted.
    pub async fn stop(&self) -> Vec<String> {
        let stopped: Vec<_> = {
            let mut plugins = self.plugins();
            plugins.stopping = true;
            plugins.by_name.iter().map(|(name, entry)| (name.clone(), entry.stop())).collect()
        };
        let mut interrupted = Vec::new();
        for (name, stopped) in stopped {
            if !stopped.await {
                interrupted.push(name);
            }
        }
        interrupted
    }

    /// Calls a plugin between two deliveries of events, within
    /// [`LifeLimits::call`](super::LifeLimits::call).
    ///
    /// An error of the call ends the plugin, and so does a call that takes too long, as
    /// [`PluginHandle::call_within`](crate::PluginHandle::call_within) describes. It is then started
    /// again as its restart policy says.
    ///
    /// # Errors
    ///
    /// Returns [`CallError::Gone`] if the plugin does not run.
    pub async fn call<R: Send + 'static>(
        &self,
        name: &str,
        call: impl for<'a> FnOnce(
            &'a mut Store<T>,
            Instance,
        ) -> Pin<Box<dyn Future<Output = wasmtime::Result<R>> + Send + 'a>>
        + Send
        + 'static,
    ) -> Result<R, CallError> {
        let running = self.plugins().by_name.get(name).and_then(|entry| entry.watched.running());
        let running = running.ok_or(CallError::Gone)?;
        let instance = running.instance;
        running.handle.call_within(running.limit, move |store| call(store, instance)).await
    }

    /// Puts a message into a plugin's mailbox: the async handle named [`MAILBOX`].
    ///
    /// # Errors
    ///
    /// Returns the reason why the message was refused.
    pub fn send(&self, name: &str, message: impl Into<Vec<u8>>) -> Result<(), Refusal> {
        self.with_mailbox(name, |mailbox| mailbox.send_message(message))
    }

    /// Returns the bytes of the longest message that a plugin may take now. A plugin that takes none
    /// counts it as refused.
    ///
    /// # Errors
    ///
    /// Returns the reason why the plugin takes no messages.
    pub fn longest_message(&self, name: &str) -> Result<usize, Refusal> {
        let plugins = self.plugins();
        let entry = plugins.by_name.get(name).ok_or_else(|| Refusal::unknown(name))?;
        let mut status = entry.watched.status();
        let longest = match Refusal::in_state(name, status.state) {
            Some(refusal) => Err(refusal),
            None => entry
                .mailbox
                .capacity()
                .ok_or_else(|| Refusal::of_send(name, status.state, MAILBOX, SendError::NotOpen)),
        };
        status.messages.refused += u64::from(longest.is_err());
        longest
    }

    /// Counts a message that was longer, and returns the refusal.
    pub fn too_large(&self, name: &str) -> Refusal {
        let refused = self.with_mailbox(name, |_| Err(SendError::TooLarge));
        refused.err().unwrap_or_else(|| Refusal::unknown(name))
    }

    fn with_mailbox(
        &self,
        name: &str,
        send: impl FnOnce(&AsyncSender) -> Result<(), SendError>,
    ) -> Result<(), Refusal> {
        let plugins = self.plugins();
        let entry = plugins.by_name.get(name).ok_or_else(|| Refusal::unknown(name))?;
        let mut status = entry.watched.status();
        let sent = match Refusal::in_state(name, status.state) {
            Some(refusal) => Err(refusal),
            None => {
                send(&entry.mailbox).map_err(|error| Refusal::of_send(name, status.state, MAILBOX, error))
            }
        };
        match &sent {
            Ok(()) => status.messages.accepted += 1,
            Err(_) => status.messages.refused += 1,
        }
        sent
    }

    /// Sends another async handle of a plugin. `sender` returns the sender that the embedder has from
    /// its grant, and is called if the plugin runs.
    ///
    /// # Errors
    ///
    /// Returns the reason why it cannot be sent.
    pub fn send_handle(
        &self,
        name: &str,
        sender: impl FnOnce() -> Result<AsyncSender, Refusal>,
    ) -> Result<(), Refusal> {
        let state = self.state(name).ok_or_else(|| Refusal::unknown(name))?;
        if let Some(refusal) = Refusal::in_state(name, state) {
            return Err(refusal);
        }
        let sender = sender()?;
        sender.send().map_err(|error| Refusal::of_send(name, state, sender.name(), error))
    }

    /// Returns the mailboxes, to connect plugins with each other.
    pub fn mailboxes(&self) -> &Arc<Mailboxes> {
        &self.shared.mailboxes
    }
}

impl<T> Supervisor<T> {
    /// Returns the status of a plugin. Counters are updated each second.
    pub fn status(&self, name: &str) -> Option<PluginStatus> {
        let plugins = self.shared.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        plugins.by_name.get(name).map(|entry| entry.watched.status().view(name, Instant::now()))
    }

    /// Returns the status of all plugins, by name.
    pub fn statuses(&self) -> Vec<PluginStatus> {
        let now = Instant::now();
        let plugins = self.shared.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        plugins.by_name.iter().map(|(name, entry)| entry.watched.status().view(name, now)).collect()
    }

    /// Returns the state of a plugin.
    pub fn state(&self, name: &str) -> Option<State> {
        let plugins = self.shared.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        plugins.by_name.get(name).map(|entry| entry.watched.status().state)
    }
}

impl<T> Entry<T> {
    /// Stops the plugin. Returns whether it ended by itself.
    fn stop(&self) -> impl Future<Output = bool> + Send + use<T> {
        let (done, stopped) = oneshot::channel();
        let sent = self.commands.send(Command::Stop(done)).is_ok();
        // Otherwise it has been stopped.
        async move { !sent || stopped.await.unwrap_or(true) }
    }
}

impl<T: PluginState + Send> Default for Supervisor<T> {
    fn default() -> Supervisor<T> {
        Supervisor::new()
    }
}

impl<T> Clone for Supervisor<T> {
    fn clone(&self) -> Supervisor<T> {
        Supervisor { shared: self.shared.clone() }
    }
}

impl<T> fmt::Debug for Supervisor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").finish_non_exhaustive()
    }
}
