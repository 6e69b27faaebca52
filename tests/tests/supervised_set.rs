//! Supervised plugins on one thread: the same as in tasks.

use std::time::{Duration, Instant};
use uv_handles_host::CallError;
use uv_handles_host::supervisor::{LogSource, PluginSpec, State, SupervisedSet};
use uv_handles_tests::PATIENCE;
use uv_handles_tests::supervised::{Log, Supervised, SupervisedPlugins};
use wasmtime::Result;

/// The time for a plugin that spins.
const SHORT: Duration = Duration::from_millis(300);

/// A set, its log, and a plugin that ticks beside the others.
struct Supervision {
    plugins: SupervisedPlugins,
    set: SupervisedSet<Supervised>,
    log: Log,
}

impl Supervision {
    fn new() -> Result<Supervision> {
        let (plugins, log) = (SupervisedPlugins::in_set()?, Log::default());
        let mut set = SupervisedSet::new()?;
        set.set_log(log.sink());
        set.run("good", &plugins.spec("tick")).expect("it starts");
        Ok(Supervision { plugins, set, log })
    }

    fn spec(&self, config: &str) -> PluginSpec<Supervised> {
        let time_for = |word| if config.contains(word) { SHORT } else { PATIENCE };
        self.plugins.spec(config).limits(|limits| {
            (limits.start, limits.hand_over) = (time_for("spin-init"), time_for("spin-hand-over"));
        })
    }

    fn run(&mut self, config: &str) -> Result<(), String> {
        let spec = self.spec(config);
        self.set.run("it", &spec)
    }

    fn count_of(&mut self, name: &str) -> Result<u64, CallError> {
        self.set.call(name, |store, instance| {
            let count = instance.get_typed_func::<(), (u64,)>(&mut *store, "count")?;
            Ok(count.call(store, ())?.0)
        })
    }

    fn call(&mut self, export: &str) -> Result<(), CallError> {
        self.set.call("it", |store, instance| {
            instance.get_typed_func::<(), ()>(&mut *store, export)?.call(store, ())
        })
    }

    /// Takes turns until this is true.
    fn until(&mut self, what: &str, mut is_true: impl FnMut(&mut Supervision) -> bool) {
        let begun = Instant::now();
        while !is_true(self) {
            assert!(begun.elapsed() < PATIENCE, "{what} does not come: {:?}", self.log);
            self.set.turn(Some(PATIENCE)).unwrap();
        }
    }

    fn the_others_run_on(&mut self) {
        let before = self.count_of("good").unwrap();
        self.until("more ticks", |it| it.count_of("good").unwrap() > before + 10);
        assert_eq!(self.set.status("good").unwrap().restarts, 0);
    }
}

#[test]
fn a_new_version_has_the_state_of_the_old_one() -> Result<()> {
    let mut it = Supervision::new()?;
    it.run("tick").unwrap();
    it.until("ticks", |it| it.count_of("it").unwrap() > 10);
    let before = it.count_of("it").unwrap();
    it.run("nothing").unwrap();
    assert_eq!(it.count_of("it"), Ok(before));
    let status = it.set.status("it").unwrap();
    assert!(status.stats.timers >= before, "{status:?}");
    assert!(it.set.remove("it") && !it.set.remove("it"));
    assert_eq!((it.count_of("it"), it.set.names().collect()), (Err(CallError::Gone), vec!["good"]));
    Ok(())
}

#[test]
fn a_version_that_cannot_start_or_gets_no_good_state_keeps_the_old_one() -> Result<()> {
    let mut it = Supervision::new()?;
    for (old, new, expected) in [
        ("tick", "refuse", "its init refused: it does not want to"),
        ("tick", "trap-init", "it panicked: it cannot start"),
        ("tick", "spin-init", "its start took longer than 0.3 s (limits.start)"),
        ("tick large", "tick", "its state of 33554432 bytes is larger than 16777216 bytes (limits.state)"),
        ("tick garbage", "tick", "its init refused: the state is no number"),
    ] {
        it.set.remove("it");
        it.run(old).unwrap();
        let before = it.count_of("it").unwrap();
        let reason = it.run(new).unwrap_err();
        assert!(reason.starts_with(expected), "{reason}");
        let problem = it.set.status("it").unwrap().problem;
        assert!(problem.is_some_and(|problem| problem.starts_with(expected)));
        it.until("more ticks", |it| it.count_of("it").unwrap() > before);
    }
    it.the_others_run_on();
    Ok(())
}

#[test]
fn a_component_that_is_no_plugin_has_failed_for_good() -> Result<()> {
    let mut it = Supervision::new()?;
    let spec = it.plugins.no_plugin()?;
    let expected = "the component is not a plugin: it does not export uv:handles/plugin-events@0.2.0";
    assert_eq!(it.set.run("it", &spec).unwrap_err(), expected);
    assert_eq!(it.set.status("it").expect("it is known").state, State::Failed);
    assert!(it.set.run("two\nlines", &spec).unwrap_err().contains("has control characters"));
    Ok(())
}

#[test]
fn a_plugin_that_does_not_hand_over_is_replaced_without_its_state() -> Result<()> {
    let mut it = Supervision::new()?;
    for (config, expected) in [
        ("tick spin-hand-over", "its hand-over took longer than 0.3 s (limits.hand_over)"),
        ("tick trap-hand-over", "it panicked: it has nothing to say"),
    ] {
        it.run(config).unwrap();
        it.until("ticks", |it| it.count_of("it").unwrap() > 0);
        it.run("nothing").unwrap();
        assert_eq!(it.count_of("it"), Ok(0));
        let lines = it.log.lines("it", LogSource::Supervisor);
        assert!(lines.iter().any(|line| line.starts_with(expected)), "{lines:?}");
    }
    it.the_others_run_on();
    Ok(())
}

#[test]
fn a_plugin_that_fails_is_started_again() -> Result<()> {
    let mut it = Supervision::new()?;
    let spec = it.spec("tick").limits(|limits| limits.call = SHORT);
    it.set.run("it", &spec).unwrap();
    assert_eq!(it.call("spin"), Err(CallError::DeadlineExceeded));
    assert_eq!(it.count_of("it"), Err(CallError::Gone));
    it.until("a restart", |it| it.count_of("it").is_ok());
    assert!(matches!(it.call("trap"), Err(CallError::Failed(_))));
    it.until("another restart", |it| it.count_of("it").is_ok());
    assert_eq!(it.set.status("it").unwrap().restarts, 2);
    it.the_others_run_on();

    assert!(it.run("spin-init").is_ok_and(|()| false) || it.set.status("it").unwrap().problem.is_some());
    let reason = it.set.run("new", &it.spec("spin-init")).unwrap_err();
    assert_eq!(reason, "its start took longer than 0.3 s (limits.start)");
    assert_eq!(it.set.status("new").unwrap().state, State::BackingOff);
    it.set.remove("new");
    it.the_others_run_on();
    let reason = it.set.run("new", &it.plugins.panicking()).unwrap_err();
    assert_eq!(reason, "its grants panicked");
    Ok(())
}
