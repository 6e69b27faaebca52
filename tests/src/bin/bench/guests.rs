//! Many guests on one thread, each with a loop and a repeating timer.

use crate::program::bindings::Guest;
use crate::program::run::wasi;
use crate::program::{epochs, marks};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use uv_handles_bench::Session;
use uv_handles_host::supervisor::{PluginSpec, SupervisedSet};
use uv_handles_host::{
    Plugin, PluginHandle, PluginSet, UvCtx, UvCtxBuilder, interrupt_by_epochs_async, interrupt_by_epochs_sync,
};
use uv_handles_tests::{State, async_linker, linker};
use wasmtime::component::{Component, HasSelf, Instance, InstancePre, TypedFunc};
use wasmtime::{Result, Store};
use wasmtime_wasi::p2::bindings::CommandPre;

/// The reports of the guests.
#[derive(Debug, Default)]
pub struct Ticks {
    started: AtomicU64,
    ticks: AtomicU64,
    /// The number of ticks after which the waiting thread is woken.
    wanted: AtomicU64,
    reached: Notify,
    failed: AtomicBool,
}

impl Ticks {
    pub fn started(&self) {
        self.started.fetch_add(1, Ordering::Relaxed);
        self.reached.notify_one();
    }

    pub fn tick(&self) {
        if self.ticks.fetch_add(1, Ordering::Relaxed) + 1 == self.wanted.load(Ordering::Relaxed) {
            self.reached.notify_one();
        }
    }

    fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// No guest ends by itself.
    fn ended(&self, result: Result<()>) {
        eprintln!("a guest has ended: {result:?}");
        self.failed.store(true, Ordering::Relaxed);
        self.reached.notify_one();
    }

    async fn reached(&self) {
        self.reached.notified().await;
        assert!(!self.failed.load(Ordering::Relaxed), "all guests are there");
    }

    async fn until_started(&self, many: u64) {
        while self.started.load(Ordering::Relaxed) < many {
            self.reached().await;
        }
    }

    async fn until_ticks(&self, many: u64) {
        let wanted = self.ticks.load(Ordering::Relaxed) + many;
        self.wanted.store(wanted, Ordering::Relaxed);
        while self.ticks.load(Ordering::Relaxed) < wanted {
            self.reached().await;
        }
    }
}

/// How the guests are hosted.
#[derive(Debug, Clone, Copy)]
pub enum As {
    /// Programs that wait in tasks.
    Programs,
    /// Plugins in a set, which a thread drives, with this timer slack.
    Set(Duration),
    /// The same under a supervisor.
    Supervised,
    /// Plugins in tasks.
    Plugins,
    /// The same component without a loop: a timer of the embedder's calls an export.
    Called,
    /// The same, called synchronously: each millisecond, the exports of the guests whose turn it
    /// is.
    InTurn,
}

/// Starts this many guests with timers of this period, lets them tick so often on average, and
/// prints the report. Each has ticked once before: the memory that a guest needs from its first
/// callback on, such as a page for its table of functions, counts as an idle guest's memory and not
/// as a tick's time.
pub fn run(component: &Component, hosted: As, many: u64, period: u64, ticks: u64) -> Result<()> {
    match hosted {
        As::Set(slack) => return set(component, slack, many, period, ticks),
        As::Supervised => return supervised(component, many, period, ticks),
        As::InTurn => return in_turn(component, many, period, ticks),
        As::Programs | As::Plugins | As::Called => {}
    }
    let mut linker = async_linker(component.engine())?;
    Guest::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    let pre = linker.instantiate_pre(component)?;

    let _epochs = epochs(component.engine())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = Arc::new(Ticks::default());
    marks::count_ticks(told.clone());
    let plugins = Arc::new(Mutex::new(Vec::new()));
    let start = |pre: InstancePre<State>| {
        let (told, plugins) = (told.clone(), plugins.clone());
        runtime.spawn(async move {
            let ended = match hosted {
                As::Programs => program(pre, period).await,
                As::Called => called(pre, period, &told).await,
                As::Set(_) | As::Supervised | As::InTurn => unreachable!("they have no tasks"),
                As::Plugins => match plugin(pre, period).await {
                    // It has a task of its own: this one ends.
                    Ok(started) => {
                        return plugins.lock().expect("the lock is never poisoned").push(started);
                    }
                    Err(failed) => Err(failed),
                },
            };
            told.ended(ended);
        });
    };
    let mut session = Session::new();
    // One guest in advance, so that shared memory does not count as the guests' own.
    start(pre.clone());
    runtime.block_on(told.until_started(1));
    session.memory("before");
    (0..many).for_each(|_| start(pre.clone()));
    runtime.block_on(told.until_started(many + 1));
    runtime.block_on(told.until_ticks(many));
    session.memory("after");
    session.begin();
    runtime.block_on(told.until_ticks(many * ticks));
    session.end();
    let plugins = plugins.lock().expect("the lock is never poisoned");
    assert!(plugins.iter().all(|(_, task)| !task.is_finished()), "a plugin has ended");
    report(session, many, ticks)
}

/// The same on the thread of a set.
fn set(component: &Component, slack: Duration, many: u64, period: u64, ticks: u64) -> Result<()> {
    let pre = called_synchronously(component)?;
    let told = Arc::new(Ticks::default());
    marks::count_ticks(told.clone());
    let mut set = PluginSet::new()?;
    set.set_timer_slack(slack);
    let mut add = || -> Result<()> {
        let (store, instance, tick) = instance(&pre, UvCtx::builder().plugin())?;
        let id = set.add(store, &instance)?;
        tick.call(set.store(id).expect("it has just been added"), (period,))?;
        // It waits, and the guests before it continue, also while others are added.
        assert!(set.turn(Some(Duration::ZERO))?.ended.is_empty(), "a plugin has ended");
        Ok(())
    };
    let _epochs = epochs(component.engine())?;
    let mut session = Session::new();
    add()?;
    session.memory("before");
    (0..many).try_for_each(|_| add())?;
    let mut until_ticks = |many: u64| -> Result<()> {
        let wanted = told.ticks() + many;
        while told.ticks() < wanted {
            let turn = set.turn(None)?;
            assert!(turn.ended.is_empty(), "a plugin has ended: {turn:?}");
        }
        Ok(())
    };
    until_ticks(many)?;
    session.memory("after");
    session.begin();
    until_ticks(many * ticks)?;
    session.end();
    report(session, many, ticks)
}

/// The same under a supervisor.
fn supervised(component: &Component, many: u64, period: u64, ticks: u64) -> Result<()> {
    let pre = called_synchronously(component)?;
    let told = Arc::new(Ticks::default());
    marks::count_ticks(told.clone());
    let spec = PluginSpec::new(&pre, |mut seat| Ok(State::limited(seat.uv.build(), wasi(&[]), seat.memory)));
    let spec = spec.on_start(move |store, instance| {
        let tick: Tick = instance.get_typed_func(&mut *store, "tick")?;
        tick.call(store, (period,))?;
        Ok(Ok(()))
    });
    let mut set = SupervisedSet::new()?;
    let mut add = |number: u64| -> Result<()> {
        set.run(&format!("plugin-{number}"), &spec).map_err(wasmtime::Error::msg)?;
        set.turn(Some(Duration::ZERO))?;
        Ok(())
    };
    let _epochs = epochs(component.engine())?;
    let mut session = Session::new();
    add(0)?;
    session.memory("before");
    (1..=many).try_for_each(&mut add)?;
    let mut until_ticks = |many: u64| -> Result<()> {
        let wanted = told.ticks() + many;
        while told.ticks() < wanted {
            set.turn(None)?;
        }
        Ok(())
    };
    until_ticks(many)?;
    session.memory("after");
    session.begin();
    until_ticks(many * ticks)?;
    session.end();
    report(session, many, ticks)
}

/// The same without a loop and without a set.
fn in_turn(component: &Component, many: u64, period: u64, ticks: u64) -> Result<()> {
    let pre = called_synchronously(component)?;
    marks::count_ticks(Arc::default());
    let start = || {
        let (mut store, _, tick) = instance(&pre, &mut UvCtx::builder())?;
        tick.call(&mut store, (0,))?;
        Ok((store, tick))
    };
    let mut session = Session::new();
    let _shared = start()?;
    session.memory("before");
    let mut all = (0..many).map(|_| start()).collect::<Result<Vec<_>>>()?;
    session.memory("after");
    let _epochs = epochs(component.engine())?;
    session.begin();
    let begun = std::time::Instant::now();
    for moment in 0..period * ticks {
        let next = Duration::from_millis(moment + 1);
        std::thread::sleep(next.saturating_sub(begun.elapsed()));
        let turn = |moment| (moment * many / period) as usize;
        for (store, tick) in &mut all[turn(moment % period)..turn(moment % period + 1)] {
            tick.call(store, (0,))?;
        }
    }
    session.end();
    report(session, many, ticks)
}

fn report(mut session: Session, many: u64, ticks: u64) -> Result<()> {
    session.count("operations", many * ticks);
    session.count("guests", many);
    println!("{}", session.finish());
    // The process ends with its guests: the time to drop them one by one is not measured.
    std::process::exit(0)
}

fn called_synchronously(component: &Component) -> Result<InstancePre<State>> {
    let mut linker = linker(component.engine())?;
    Guest::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    linker.instantiate_pre(component)
}

/// The plugin's own export.
type Tick = TypedFunc<(u64,), ()>;

fn instance(pre: &InstancePre<State>, uv: &mut UvCtxBuilder) -> Result<(Store<State>, Instance, Tick)> {
    let mut store = Store::new(pre.engine(), State::new(uv.build(), wasi(&[])));
    interrupt_by_epochs_sync(&mut store);
    let instance = pre.instantiate(&mut store)?;
    let tick = instance.get_typed_func::<(u64,), ()>(&mut store, "tick")?;
    Ok((store, instance, tick))
}

fn store(pre: &InstancePre<State>, args: &[&str]) -> Store<State> {
    let mut store = Store::new(pre.engine(), State::new(UvCtx::builder().build(), wasi(args)));
    interrupt_by_epochs_async(&mut store);
    store
}

async fn program(pre: InstancePre<State>, period: u64) -> Result<()> {
    let mut store = store(&pre, &["ticks", &period.to_string()]);
    let command = CommandPre::new(pre)?.instantiate_async(&mut store).await?;
    command.wasi_cli_run().call_run(&mut store).await?.expect("it reports success");
    Ok(())
}

type Started = (PluginHandle<State>, JoinHandle<Result<()>>);

async fn plugin(pre: InstancePre<State>, period: u64) -> Result<Started> {
    let (mut plugin, instance) = Plugin::instantiate(store(&pre, &[]), &pre).await?;
    let tick = instance.get_typed_func::<(u64,), ()>(plugin.store(), "tick")?;
    let (plugin, task) = plugin.spawn();
    plugin.call(move |store| Box::pin(async move { tick.call_async(store, (period,)).await })).await??;
    Ok((plugin, task))
}

async fn called(pre: InstancePre<State>, period: u64, told: &Ticks) -> Result<()> {
    let mut store = store(&pre, &[]);
    let instance = pre.instantiate_async(&mut store).await?;
    let tick = instance.get_typed_func::<(u64,), ()>(&mut store, "tick")?;
    tick.call_async(&mut store, (0,)).await?;
    told.started();
    let period = Duration::from_millis(period);
    let mut interval = tokio::time::interval_at(Instant::now() + period, period);
    loop {
        interval.tick().await;
        tick.call_async(&mut store, (0,)).await?;
    }
}
