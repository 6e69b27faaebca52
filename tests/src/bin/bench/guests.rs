//! Many guests in tasks of one thread, each with a loop and a repeating timer.

use crate::bindings::Guest;
use crate::marks;
use crate::run::wasi;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::Notify;
use uv_handles_bench::Session;
use uv_handles_host::UvCtx;
use uv_handles_tests::{State, async_linker};
use wasmtime::component::{Component, HasSelf};
use wasmtime::{Result, Store};
use wasmtime_wasi::p2::bindings::CommandPre;

/// What the guests tell.
#[derive(Debug, Default)]
pub struct Ticks {
    started: AtomicU64,
    ticks: AtomicU64,
    /// After how many ticks somebody wants to know.
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

    /// No guest ends by itself.
    fn ended(&self, result: Result<Result<(), ()>>) {
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

/// Starts so many guests with timers of this period, lets them tick so often on average, and prints the report.
pub fn run(component: &Component, many: u64, period: u64, ticks: u64) -> Result<()> {
    let mut linker = async_linker(component.engine())?;
    Guest::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    let pre = CommandPre::new(linker.instantiate_pre(component)?)?;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = Arc::new(Ticks::default());
    marks::count_ticks(told.clone());
    let start = |pre: CommandPre<State>| {
        let state = State::new(UvCtx::builder().build(), wasi(&["ticks", &period.to_string()]));
        let mut store = Store::new(pre.engine(), state);
        let told = told.clone();
        runtime.spawn(async move {
            let run = async {
                let command = pre.instantiate_async(&mut store).await?;
                command.wasi_cli_run().call_run(&mut store).await
            };
            told.ended(run.await);
        });
    };
    let mut session = Session::new();
    // One to begin with: what all of them share is not theirs.
    start(pre.clone());
    runtime.block_on(told.until_started(1));
    session.memory("before");
    (0..many).for_each(|_| start(pre.clone()));
    runtime.block_on(told.until_started(many + 1));
    session.memory("after");
    session.begin();
    runtime.block_on(told.until_ticks(many * ticks));
    session.end();
    session.count("operations", many * ticks);
    session.count("guests", many);
    println!("{}", session.finish());
    // The process ends with its guests: to take them down one by one is not what is measured.
    std::process::exit(0)
}
