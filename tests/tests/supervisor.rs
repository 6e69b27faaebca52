//! The supervisor of plugins in tasks: their state across versions, their ends, and what is not
//! their fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use uv_handles_host::CallError;
use uv_handles_host::supervisor::{
    LogSource, MAILBOX, PluginSpec, PluginStatus, Refusal, Restart, State, Supervisor,
};
use uv_handles_tests::PATIENCE;
use uv_handles_tests::plugins::in_time;
use uv_handles_tests::supervised::{Log, Supervised, SupervisedPlugins};
use wasmtime::Result;

/// The time for a plugin that spins.
const SHORT: Duration = Duration::from_millis(300);

/// A supervisor, its log, and a plugin that ticks beside the others.
struct Supervision {
    plugins: SupervisedPlugins,
    supervisor: Supervisor<Supervised>,
    log: Log,
}

impl Supervision {
    async fn new() -> Result<Supervision> {
        let (plugins, log) = (SupervisedPlugins::in_tasks()?, Log::default());
        let supervisor = Supervisor::with_log(log.sink());
        supervisor.run("good", &plugins.spec("tick")).await.expect("it starts");
        Ok(Supervision { plugins, supervisor, log })
    }

    async fn run(&self, config: &str) -> Result<(), String> {
        self.run_spec(&self.spec(config)).await
    }

    async fn run_spec(&self, spec: &PluginSpec<Supervised>) -> Result<(), String> {
        in_time(self.supervisor.run("it", spec)).await
    }

    fn spec(&self, config: &str) -> PluginSpec<Supervised> {
        let time_for = |word| if config.contains(word) { SHORT } else { PATIENCE };
        self.plugins.spec(config).limits(|limits| {
            (limits.start, limits.hand_over) = (time_for("spin-init"), time_for("spin-hand-over"));
            limits.stop = SHORT;
        })
    }

    async fn count_of(&self, name: &str) -> Result<u64, CallError> {
        let call = self.supervisor.call(name, |store, instance| {
            Box::pin(async move {
                let count = instance.get_typed_func::<(), (u64,)>(&mut *store, "count")?;
                Ok(count.call_async(store, ()).await?.0)
            })
        });
        in_time(call).await
    }

    async fn count(&self) -> u64 {
        self.count_of("it").await.expect("it runs")
    }

    /// Calls an export without parameters and result.
    async fn call(&self, export: &'static str) -> Result<(), CallError> {
        let call = self.supervisor.call("it", move |store, instance| {
            Box::pin(async move {
                let export = instance.get_typed_func::<(), ()>(&mut *store, export)?;
                export.call_async(store, ()).await
            })
        });
        in_time(call).await
    }

    fn status(&self) -> PluginStatus {
        self.supervisor.status("it").expect("it is known")
    }

    async fn until(&self, what: &str, mut is_true: impl AsyncFnMut() -> bool) {
        let begun = Instant::now();
        while !is_true().await {
            assert!(begun.elapsed() < PATIENCE, "{what} does not come: {:?}, {:?}", self.status(), self.log);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The other plugin has more ticks, and was not started again.
    async fn the_others_run_on(&self) {
        let before = self.count_of("good").await.expect("it runs");
        self.until("more ticks", async || self.count_of("good").await.unwrap() > before + 10).await;
        assert_eq!(self.supervisor.status("good").unwrap().restarts, 0);
    }
}

#[tokio::test]
async fn a_new_version_has_the_state_and_the_mailbox_of_the_old_one() -> Result<()> {
    let it = Supervision::new().await?;
    it.run("tick mailbox").await.unwrap();
    it.until("ticks", async || it.count().await > 10).await;
    it.supervisor.send("it", "one").unwrap();
    let before = it.count().await;
    it.run("mailbox").await.unwrap();
    let after = it.count().await;
    assert!(after >= before, "{before} ticks, and then {after}");
    assert_eq!(it.count().await, after, "the old instance ticks no more");
    it.supervisor.send("it", "two").unwrap();
    it.until("both messages", async || it.log.lines("it", LogSource::Stdout) == ["one", "two"]).await;
    assert_eq!(it.status().messages.accepted, 2);
    it.the_others_run_on().await;
    assert_eq!(it.supervisor.stop().await, Vec::<String>::new());
    assert_eq!(it.status().state, State::Stopped);
    Ok(())
}

#[tokio::test]
async fn a_version_that_cannot_start_keeps_the_old_one() -> Result<()> {
    let it = Supervision::new().await?;
    it.run("tick mailbox").await.unwrap();
    for (config, expected) in [
        ("mailbox refuse", "its init refused: it does not want to"),
        ("mailbox trap-init", "it panicked: it cannot start"),
        ("mailbox spin-init", "its start took longer than 0.3 s (limits.start)"),
        ("no-such-word", "its init refused: there is no word no-such-word"),
    ] {
        let before = it.count().await;
        let reason = it.run(config).await.unwrap_err();
        assert!(reason.starts_with(expected), "{reason}");
        assert!(reason.len() < 1_200 && !reason.contains('\n'), "{reason}");
        assert!(it.status().problem.is_some_and(|problem| problem.starts_with(expected)));
        let lines = it.log.lines("it", LogSource::Supervisor);
        let is_told =
            |line: &String| line.starts_with(expected) && line.ends_with("; the version from before goes on");
        assert!(lines.iter().any(is_told), "{lines:?}");
        it.until("more ticks", async || it.count().await > before).await;
    }
    // Its mailbox was taken over, and came back.
    it.supervisor.send("it", "still here").unwrap();
    it.until("the message", async || it.log.lines("it", LogSource::Stdout) == ["still here"]).await;
    assert_eq!((it.status().restarts, it.status().state), (0, State::Running));
    it.the_others_run_on().await;
    Ok(())
}

#[tokio::test]
async fn a_state_that_is_too_large_or_garbage_keeps_the_old_one() -> Result<()> {
    let it = Supervision::new().await?;
    for (config, expected) in [
        ("tick large", "its state of 33554432 bytes is larger than 16777216 bytes (limits.state)"),
        ("tick garbage", "its init refused: the state is no number"),
    ] {
        it.supervisor.remove("it").await;
        it.run(config).await.unwrap();
        let before = it.count().await;
        assert_eq!(it.run("tick").await.unwrap_err(), expected);
        it.until("more ticks", async || it.count().await > before).await;
    }
    it.the_others_run_on().await;
    Ok(())
}

#[tokio::test]
async fn a_state_beyond_what_wasmtime_copies_by_default_keeps_the_old_one_or_is_handed_over() -> Result<()> {
    const HUGE: usize = 160 << 20;
    let it = Supervision::new().await?;
    let spec =
        |config, state| it.spec(config).limits(|limits| (limits.memory, limits.state) = (1 << 30, state));
    it.run_spec(&spec("tick huge", 16 << 20)).await.unwrap();
    let before = it.count().await;
    let error = it.run_spec(&spec("tick huge", HUGE)).await.unwrap_err();
    assert_eq!(error, "its state of 167772160 bytes is larger than 16777216 bytes (limits.state)");
    it.until("more ticks", async || it.count().await > before).await;

    it.supervisor.remove("it").await;
    it.run_spec(&spec("tick huge", HUGE)).await.unwrap();
    // It arrives, and is no number.
    let error = it.run_spec(&spec("tick", HUGE)).await.unwrap_err();
    assert_eq!(error, "its init refused: the state is no number");
    it.the_others_run_on().await;
    Ok(())
}

#[tokio::test]
async fn a_component_that_is_no_plugin_has_failed_for_good() -> Result<()> {
    let it = Supervision::new().await?;
    let spec = it.plugins.no_plugin()?;
    let expected = "the component is not a plugin: it does not export uv:handles/plugin-events@0.2.0";
    assert_eq!(it.run_spec(&spec).await.unwrap_err(), expected);
    assert_eq!(it.status().state, State::Failed);
    let lines = it.log.lines("it", LogSource::Supervisor);
    assert_eq!(lines, [format!("{expected}; it is not started again")]);
    it.run("tick").await.unwrap();
    let before = it.count().await;
    assert_eq!(it.run_spec(&spec).await.unwrap_err(), expected);
    it.until("more ticks", async || it.count().await > before).await;
    Ok(())
}

#[tokio::test]
async fn a_plugin_that_never_starts_waits_longer_and_longer() -> Result<()> {
    let it = Supervision::new().await?;
    let milliseconds = Duration::from_millis;
    // The longest wait is longer than a life that would be a success.
    let restart = Restart {
        initial: milliseconds(1),
        max: milliseconds(16),
        reset: milliseconds(8),
        ..Restart::default()
    };
    let refused = it.run_spec(&it.spec("refuse").restart(restart)).await.unwrap_err();
    let waits = || -> Vec<String> {
        let lines = it.log.lines("it", LogSource::Supervisor);
        lines.iter().map(|line| line.strip_prefix(&refused).expect("it refused").to_owned()).collect()
    };
    it.until("ten starts", async || waits().len() >= 10).await;
    let seconds = ["0.001", "0.002", "0.004", "0.008"].into_iter().chain(["0.016"; 6]);
    let expected: Vec<_> = seconds.map(|wait| format!("; it is started again in {wait} s")).collect();
    assert_eq!(waits()[..10], expected);
    Ok(())
}

#[tokio::test]
async fn names_are_short_and_visible() -> Result<()> {
    let it = Supervision::new().await?;
    for name in ["", "two\nlines", &"x".repeat(1 << 20)] {
        let error = it.supervisor.run(name, &it.spec("tick")).await.unwrap_err();
        assert!(error.starts_with("the plugin's name \"") && error.len() < 100, "{error}");
        it.supervisor.report_broken(name, "it is broken");
    }
    assert_eq!(it.supervisor.statuses().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_plugin_that_does_not_hand_over_is_replaced_without_its_state() -> Result<()> {
    let it = Supervision::new().await?;
    for (config, expected) in [
        ("tick spin-hand-over", "its hand-over took longer than 0.3 s (limits.hand_over)"),
        ("tick trap-hand-over", "it panicked: it has nothing to say"),
    ] {
        it.supervisor.remove("it").await;
        it.run(config).await.unwrap();
        it.until("ticks", async || it.count().await > 0).await;
        it.run("nothing").await.unwrap();
        assert_eq!(it.count().await, 0);
        let lines = it.log.lines("it", LogSource::Supervisor);
        let is_told = |line: &String| {
            line.starts_with(expected) && line.ends_with("; the new version starts without its state")
        };
        assert!(lines.iter().any(is_told), "{lines:?}");
    }
    it.run("tick").await.unwrap();
    it.the_others_run_on().await;
    Ok(())
}

#[tokio::test]
async fn a_plugin_that_never_starts_is_told_and_tried_again() -> Result<()> {
    let it = Supervision::new().await?;
    let reason = it.run("spin-init").await.unwrap_err();
    assert_eq!(reason, "its start took longer than 0.3 s (limits.start)");
    it.the_others_run_on().await;
    it.until("another start", async || it.status().restarts > 0).await;
    // A start in progress does not hold a version up that is better.
    it.run("tick").await.unwrap();
    assert_eq!(it.count_of("it").await.map(drop), Ok(()));
    Ok(())
}

#[tokio::test]
async fn a_call_beyond_its_deadline_or_with_a_trap_ends_the_plugin() -> Result<()> {
    let it = Supervision::new().await?;
    it.run_spec(&it.spec("tick").limits(|limits| limits.call = SHORT)).await.unwrap();
    assert_eq!(it.call("spin").await, Err(CallError::DeadlineExceeded));
    it.until("a restart", async || it.status().restarts == 1 && it.count_of("it").await.is_ok()).await;
    let lines = it.log.lines("it", LogSource::Supervisor);
    let expected = "one of its calls took longer than its deadline (limits.call)";
    assert!(lines.iter().any(|line| line.starts_with(expected)), "{lines:?}");

    let Err(CallError::Failed(error)) = it.call("trap").await else { panic!("it traps") };
    assert!(error.contains("unreachable"), "{error}");
    it.until("a restart", async || it.status().restarts == 2 && it.count_of("it").await.is_ok()).await;
    assert_eq!(it.supervisor.call::<()>("absent", |_, _| unreachable!()).await, Err(CallError::Gone));
    it.the_others_run_on().await;
    Ok(())
}

#[tokio::test]
async fn a_callback_beyond_its_deadline_ends_the_plugin() -> Result<()> {
    let it = Supervision::new().await?;
    it.run_spec(&it.spec("mailbox").limits(|limits| limits.callback = Some(SHORT))).await.unwrap();
    it.supervisor.send("it", "spin").unwrap();
    it.until("a restart", async || it.status().restarts == 1).await;
    let lines = it.log.lines("it", LogSource::Supervisor);
    let expected = "one of its callbacks took longer than 0.3 s (limits.callback)";
    assert!(lines.iter().any(|line| line.starts_with(expected)), "{lines:?}");
    it.the_others_run_on().await;
    Ok(())
}

#[tokio::test]
async fn senders_are_refused_while_a_plugin_has_ended() -> Result<()> {
    let it = Supervision::new().await?;
    assert!(matches!(it.supervisor.send("absent", "x"), Err(Refusal::Unknown(_))));
    let never = uv_handles_host::supervisor::Restart {
        policy: uv_handles_host::supervisor::Policy::Never,
        ..Default::default()
    };
    it.run_spec(&it.spec("mailbox").restart(never)).await.unwrap();
    let mailbox = it.supervisor.mailboxes().get("it").expect("it has one");
    assert_eq!(mailbox.name(), MAILBOX);
    it.supervisor.send("it", "crash").unwrap();
    it.until("its end", async || it.status().state == State::Failed).await;
    assert_eq!(
        it.status().reason.as_deref().map(|reason| &reason[..32]),
        Some("it panicked: a message asked for")
    );
    assert!(!mailbox.is_open());
    assert!(matches!(it.supervisor.send("it", "x"), Err(Refusal::NotTaken(_))));
    assert_eq!(it.count_of("it").await, Err(CallError::Gone));
    assert_eq!(it.status().messages.refused, 1);
    Ok(())
}

#[tokio::test]
async fn lines_are_bounded_in_length_and_number() -> Result<()> {
    let it = Supervision::new().await?;
    it.run("print lines ask").await.unwrap();
    let lines = it.log.lines("it", LogSource::Stdout);
    assert!((100..400).contains(&lines.len()), "{} lines", lines.len());
    assert!(lines.iter().all(|line| line.len() <= 4_100));
    // The name that it asks for has a megabyte.
    let told = it.log.lines("it", LogSource::Supervisor);
    assert!(told.iter().all(|line| line.len() < 1_200), "{told:?}");
    it.the_others_run_on().await;
    Ok(())
}

#[tokio::test]
async fn hooks_that_panic_harm_at_most_the_plugin_that_they_are_about() -> Result<()> {
    let it = Supervision::new().await?;
    let reason = it.run_spec(&it.plugins.panicking()).await.unwrap_err();
    assert!(reason.starts_with("its grants fail: ") && reason.contains("panicked"), "{reason}");

    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let spec = it.spec("mailbox tick").limits(|limits| limits.slow_callback = Some(Duration::from_millis(5)));
    let spec = spec.on_slow_callback(move |name, took| {
        assert_eq!(name, "it");
        assert!(took > Duration::from_millis(5));
        counted.fetch_add(1, Ordering::Relaxed);
        panic!("a hook of the embedder's");
    });
    it.run_spec(&spec).await.unwrap();
    it.supervisor.send("it", "slow").unwrap();
    it.until("the slow callback", async || calls.load(Ordering::Relaxed) > 0).await;
    assert_eq!((it.count_of("it").await.map(drop), it.status().restarts), (Ok(()), 0));
    it.the_others_run_on().await;

    let panicking = Supervisor::with_log(|_| panic!("a hook of the embedder's"));
    in_time(panicking.run("other", &it.spec("tick lines"))).await.unwrap();
    assert_eq!(panicking.state("other"), Some(State::Running));
    Ok(())
}

#[tokio::test]
async fn the_status_has_durations_handles_and_the_depth_of_the_mailbox() -> Result<()> {
    let it = Supervision::new().await?;
    it.run("tick mailbox stop").await.unwrap();
    it.until("a sample", async || it.status().stats.timers > 0).await;
    let stats = it.status().stats;
    assert_eq!((stats.handles, stats.alive), (3, true));
    assert_eq!(stats.durations.counts.iter().sum::<u64>(), stats.callbacks);
    assert!(stats.durations.total >= stats.durations.longest && !stats.durations.longest.is_zero());
    // While it spins, messages wait.
    it.supervisor.send("it", "spin").unwrap();
    it.until("it spins", async || it.supervisor.mailboxes().of("it").depth() == (0, 0)).await;
    it.supervisor.send("it", "one").unwrap();
    it.until("the depth", async || {
        let stats = it.status().stats;
        (stats.mailbox_messages, stats.mailbox_bytes) == (1, 3)
    })
    .await;
    assert!(!it.supervisor.remove("it").await, "it has to be interrupted");
    assert!(it.supervisor.status("it").is_none());
    Ok(())
}

#[tokio::test]
async fn a_plugin_that_closes_its_handles_when_it_is_asked_to_stop_ends_by_itself() -> Result<()> {
    let it = Supervision::new().await?;
    let spec = it.plugins.spec("tick mailbox stop").limits(|limits| limits.stop = PATIENCE);
    it.run_spec(&spec).await.unwrap();
    assert!(it.supervisor.remove("it").await, "{:?}", it.log);
    assert!(it.log.lines("it", LogSource::Supervisor).contains(&"it has stopped".to_owned()));
    it.the_others_run_on().await;
    Ok(())
}

#[tokio::test]
async fn stop_names_the_plugins_that_had_to_be_interrupted() -> Result<()> {
    let it = Supervision::new().await?;
    it.run("tick mailbox stop").await.unwrap();
    it.supervisor.send("it", "spin").unwrap();
    it.until("it spins", async || it.supervisor.mailboxes().of("it").depth() == (0, 0)).await;
    assert_eq!(it.supervisor.stop().await, ["it"]);
    Ok(())
}
