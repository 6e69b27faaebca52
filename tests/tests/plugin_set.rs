//! Many plugins on one thread, called synchronously: a set of them, whose turns the embedder takes.

// Plugins have pipes and signals.
#![cfg(unix)]

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use uv_handles_host::{Interrupted, Lateness, PluginId, PluginSet, UvCtx, UvCtxBuilder, VirtualClock};
use uv_handles_tests::os::{kill_self, raise_descriptor_limit};
use uv_handles_tests::plugins::{SyncExports, SyncPlugins};
use uv_handles_tests::{PATIENCE, State};
use wasmtime::{Result, UpdateDeadline};

/// A set and the factory of its plugins.
struct Sets {
    plugins: SyncPlugins,
    set: PluginSet<State>,
}

impl Sets {
    fn new() -> Result<Sets> {
        Ok(Sets { plugins: SyncPlugins::new()?, set: PluginSet::new()? })
    }

    fn add(&mut self, grant: impl FnOnce(&mut UvCtxBuilder)) -> Result<(PluginId, SyncExports)> {
        let mut uv = UvCtx::builder();
        grant(&mut uv);
        let (store, instance, exports) = self.plugins.instance(uv.plugin().build())?;
        Ok((self.set.add(store, &instance)?, exports))
    }

    /// The lines of a plugin, as soon as there are any. The set waits for the event that brings
    /// them: it does not look at the plugin before a callback has run.
    fn lines(&mut self, (id, exports): &(PluginId, SyncExports)) -> Result<Vec<String>> {
        let begun = Instant::now();
        loop {
            let turn = self.set.turn(Some(PATIENCE))?;
            assert!(turn.ended.is_empty(), "{turn:?}");
            assert!(begun.elapsed() < PATIENCE, "it does not come");
            if turn.callbacks > 0 {
                let lines = exports.call_lines(self.set.store(*id).expect("it is in the set"))?;
                if !lines.is_empty() {
                    return Ok(lines);
                }
            }
        }
    }

    /// Lets the set look at all of its plugins, so that from then on it waits.
    fn settle(&mut self) -> Result<()> {
        for _ in 0..3 {
            assert!(self.set.turn(Some(Duration::ZERO))?.ended.is_empty());
        }
        Ok(())
    }

    /// The end of a plugin.
    fn end_of(&mut self, id: PluginId) -> Result<wasmtime::Error> {
        loop {
            if let Some(ended) = self.set.turn(Some(PATIENCE))?.ended.pop() {
                assert_eq!(ended.id, id);
                return Ok(ended.error);
            }
        }
    }
}

fn virtual_time(uv: &mut UvCtxBuilder) {
    uv.virtual_time(true);
}

#[test]
fn pollables_of_wasi_end_the_waits_of_the_set() -> Result<()> {
    let mut sets = Sets::new()?;
    let plugins = [sets.add(|_| {})?, sets.add(|_| {})?];
    for (id, exports) in &plugins {
        exports.call_clock(sets.set.store(*id).unwrap(), 20)?;
    }
    // Nothing but the pollables ends these waits.
    while plugins.iter().any(|(id, _)| sets.set.alive(*id)) {
        let begun = Instant::now();
        assert!(sets.set.turn(Some(PATIENCE))?.ended.is_empty() && begun.elapsed() < PATIENCE);
    }
    for (id, exports) in &plugins {
        assert_eq!(exports.call_lines(sets.set.store(*id).unwrap())?, ["clock", "clock"]);
    }
    Ok(())
}

#[test]
fn what_an_export_leaves_behind_calls_back_in_the_turns() -> Result<()> {
    let mut sets = Sets::new()?;
    let (id, exports) = sets.add(virtual_time)?;
    assert_eq!(sets.set.turn(Some(Duration::ZERO))?.callbacks, 0);
    assert!(!sets.set.alive(id));
    exports.call_tick(sets.set.store(id).unwrap(), 1_000)?;
    assert!(sets.set.alive(id));
    // The first turn sees that there is a timer: in virtual time it is due at once.
    assert_eq!(sets.set.turn(None)?.callbacks, 0);
    for n in 1..=3 {
        assert_eq!(sets.set.turn(None)?.callbacks, 1);
        assert_eq!(exports.call_lines(sets.set.store(id).unwrap())?, [format!("tick {n}")]);
    }
    exports.call_close(sets.set.store(id).unwrap())?;
    assert_eq!(sets.set.turn(None)?.callbacks, 1);
    assert_eq!(exports.call_lines(sets.set.store(id).unwrap())?, ["closed"]);
    assert!(!sets.set.alive(id));
    Ok(())
}

#[test]
fn what_a_plugin_did_before_it_is_driven_counts_too() -> Result<()> {
    let mut sets = Sets::new()?;
    let (mut store, instance, exports) =
        sets.plugins.instance(UvCtx::builder().virtual_time(true).plugin().build())?;
    exports.call_tick(&mut store, 1_000)?;
    let id = sets.set.add(store, &instance)?;
    assert!(sets.set.alive(id));
    assert_eq!(sets.lines(&(id, exports))?, ["tick 1"]);
    Ok(())
}

/// Neither in its start function nor in an export, before the set knows it and after.
#[test]
fn a_plugin_does_not_block_the_sets_thread() -> Result<()> {
    let plugins = SyncPlugins::new()?;
    let mut set = PluginSet::new()?;
    let (id, exports) = plugins.start_in_set(&mut set, UvCtx::builder().build())?;
    assert_eq!(exports.call_started(set.store(id).unwrap())?, ["ENOTSUP", "ENOTSUP"]);
    assert_eq!(exports.call_run(set.store(id).unwrap())?, "ENOTSUP");
    let (mut store, instance, exports) = plugins.instance(UvCtx::builder().plugin().build())?;
    assert_eq!(exports.call_run(&mut store)?, "ENOTSUP");
    let id = set.add(store, &instance)?;
    assert_eq!(exports.call_started(set.store(id).unwrap())?, ["ENOTSUP", "ENOTSUP"]);
    // One whose code has run as a program's is not driven.
    let (store, instance, _) = plugins.instance(UvCtx::builder().build())?;
    assert!(set.add(store, &instance).is_err());
    Ok(())
}

#[test]
fn a_deadline_in_epochs_that_the_embedder_sets_stays() -> Result<()> {
    let mut sets = Sets::new()?;
    let (id, exports) = sets.add(virtual_time)?;
    let passed = Arc::new(AtomicU32::new(0));
    let counted = passed.clone();
    let store = sets.set.store(id).expect("it is in the set");
    let engine = store.engine().clone();
    // The deadline that the store was made with passes while the embedder has the store. The
    // embedder then sets its own.
    engine.increment_epoch();
    exports.call_tick(&mut *store, 1_000)?;
    store.epoch_deadline_callback(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(UpdateDeadline::Continue(2))
    });
    store.set_epoch_deadline(2);
    assert_eq!(sets.set.turn(None)?.callbacks, 0);
    for expected in [0, 1, 1, 2, 2] {
        engine.increment_epoch();
        assert_eq!(sets.set.turn(None)?.callbacks, 1);
        assert_eq!(passed.load(Ordering::Relaxed), expected);
    }
    Ok(())
}

#[test]
fn timers_of_all_plugins_are_called_when_they_are_due() -> Result<()> {
    let mut sets = Sets::new()?;
    let [late, early] = [sets.add(|_| {})?, sets.add(|_| {})?];
    late.1.call_tick(sets.set.store(late.0).unwrap(), 60_000)?;
    early.1.call_tick(sets.set.store(early.0).unwrap(), 1)?;
    for n in 1..=3 {
        assert_eq!(sets.lines(&early)?.first(), Some(&format!("tick {n}")));
    }
    assert!(late.1.call_lines(sets.set.store(late.0).unwrap())?.is_empty());
    let stats = sets.set.stats(early.0).unwrap();
    let Lateness { counts, .. } = stats.lateness;
    assert!(stats.alive && stats.timers >= 3 && counts.iter().sum::<u64>() == stats.timers);
    Ok(())
}

/// Linux lets no file be watched by more than 500 pollers that are watched themselves.
#[test]
fn more_plugins_than_linux_nests_pollers_watch_signals() -> Result<()> {
    raise_descriptor_limit();
    let mut sets = Sets::new()?;
    let mut plugins = Vec::new();
    for _ in 0..510 {
        let (read, write) = std::io::pipe()?;
        let plugin = sets.add(|uv| {
            uv.descriptor("input", read).expect("it can be granted").signal(libc::SIGCONT);
        })?;
        plugin.1.call_watch(sets.set.store(plugin.0).unwrap(), libc::SIGCONT, "input")?;
        plugins.push((plugin, write));
    }
    sets.settle()?;
    kill_self(libc::SIGCONT);
    for (plugin, _) in [&plugins[0], &plugins[509]] {
        let lines = plugin.1.call_lines(sets.set.store(plugin.0).unwrap())?;
        assert_eq!(if lines.is_empty() { sets.lines(plugin)? } else { lines }, ["signal 18"]);
    }
    Ok(())
}

/// Plugins that wait for nothing, and one with a ready descriptor that no handle polls any more.
#[test]
fn a_set_of_idle_plugins_waits() -> Result<()> {
    let mut sets = Sets::new()?;
    let parked = sets.add(|_| {})?;
    let waits = sets.add(|_| {})?;
    waits.1.call_tick(sets.set.store(waits.0).unwrap(), 3_600_000)?;
    let (mut ours, theirs) = UnixStream::pair()?;
    let reads = sets.add(|uv| watching(uv, theirs))?;
    reads.1.call_watch(sets.set.store(reads.0).unwrap(), libc::SIGIO, "input")?;
    ours.write_all(b"a")?;
    assert_eq!(sets.lines(&reads)?, ["read 1"]);
    sets.settle()?;
    let begun = Instant::now();
    let mut turns = 0;
    while begun.elapsed() < Duration::from_millis(50) {
        assert_eq!(sets.set.turn(Some(Duration::from_millis(50)))?.callbacks, 0);
        turns += 1;
    }
    assert!(turns < 10, "{turns} turns in 50 ms");
    assert!(!sets.set.alive(parked.0) && sets.set.alive(waits.0));
    Ok(())
}

#[test]
fn a_turn_without_anything_due_ends_after_its_timeout() -> Result<()> {
    let mut sets = Sets::new()?;
    let (id, exports) = sets.add(|_| {})?;
    exports.call_tick(sets.set.store(id).unwrap(), 3_600_000)?;
    for timeout in [0, 1, 2] {
        assert_eq!(sets.set.turn(Some(Duration::from_millis(timeout)))?.callbacks, 0);
    }
    Ok(())
}

#[test]
fn a_wake_up_from_another_thread_ends_the_wait() -> Result<()> {
    let mut sets = Sets::new()?;
    let mut sender = None;
    let woken = sets.add(|uv| sender = Some(uv.async_sender("go")))?;
    let sender = sender.unwrap();
    // Some that wait for nothing, and one that waits for a long time.
    let idle = (0..3).map(|_| sets.add(|_| {})).collect::<Result<Vec<_>>>()?;
    idle[1].1.call_tick(sets.set.store(idle[1].0).unwrap(), 3_600_000)?;
    woken.1.call_listen(sets.set.store(woken.0).unwrap(), "go")?;
    for _ in 0..100 {
        sets.settle()?;
        let sender = sender.clone();
        let thread = thread::spawn(move || sender.send());
        assert_eq!(sets.lines(&woken)?, ["woken"]);
        thread.join().expect("it does not panic")?;
    }
    Ok(())
}

#[test]
fn the_sets_own_waker_ends_the_wait() -> Result<()> {
    let mut sets = Sets::new()?;
    for _ in 0..100 {
        let waker = sets.set.waker();
        let thread = thread::spawn(move || waker.wake());
        let begun = Instant::now();
        assert_eq!(sets.set.turn(Some(PATIENCE))?.callbacks, 0);
        assert!(begun.elapsed() < PATIENCE, "it is not woken");
        thread.join().expect("it does not panic");
    }
    Ok(())
}

#[test]
fn descriptors_and_signals_end_the_wait_also_beside_one_that_never_rests() -> Result<()> {
    let mut sets = Sets::new()?;
    let (mut ours, theirs) = UnixStream::pair()?;
    let watching = sets.add(|uv| watching(uv, theirs))?;
    // Each test has a signal of its own: every plugin of the process that watches one is told.
    watching.1.call_watch(sets.set.store(watching.0).unwrap(), libc::SIGWINCH, "input")?;
    for round in 0..4 {
        if round == 2 {
            let busy = sets.add(|_| {})?;
            busy.1.call_spin(sets.set.store(busy.0).unwrap())?;
        }
        sets.settle()?;
        thread::scope(|scope| {
            scope.spawn(|| ours.write_all(b"abc").expect("it is open"));
            assert_eq!(sets.lines(&watching)?, ["read 3"]);
            sets.settle()?;
            scope.spawn(|| kill_self(libc::SIGWINCH));
            assert_eq!(sets.lines(&watching)?, ["signal 28"]);
            Ok::<_, wasmtime::Error>(())
        })?;
    }
    Ok(())
}

/// Its loop has been idle for long when an export starts a timer: the timer counts from the call.
#[test]
fn a_timer_that_an_export_starts_counts_from_the_call() -> Result<()> {
    let mut sets = Sets::new()?;
    let clock = VirtualClock::new();
    let plugin = sets.add(|uv| {
        uv.virtual_clock(&clock);
    })?;
    plugin.1.call_tick(sets.set.store(plugin.0).unwrap(), 10)?;
    assert_eq!(sets.lines(&plugin)?, ["tick 1"]);
    plugin.1.call_close(sets.set.store(plugin.0).unwrap())?;
    assert_eq!(sets.lines(&plugin)?, ["closed"]);
    clock.advance(2_000);
    let begun = clock.now();
    plugin.1.call_tick(sets.set.store(plugin.0).unwrap(), 500)?;
    assert_eq!(sets.lines(&plugin)?, ["tick 1"]);
    // The first tick is due 500 ms after the call. After it the set has asked for the next deadline,
    // and in virtual time that is now.
    assert_eq!(clock.now() - begun, 1_000);
    Ok(())
}

#[test]
fn a_plugin_that_is_taken_out_can_go_on_in_another_set() -> Result<()> {
    let mut sets = Sets::new()?;
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut uv = UvCtx::builder();
    watching(&mut uv, theirs);
    let (store, instance, exports) = sets.plugins.instance(uv.plugin().build())?;
    let id = sets.set.add(store, &instance)?;
    exports.call_watch(sets.set.store(id).unwrap(), libc::SIGURG, "input")?;
    sets.settle()?;
    let store = sets.set.remove(id).expect("it is in the set");
    ours.write_all(b"ab")?;
    assert_eq!(sets.set.turn(Some(Duration::ZERO))?.callbacks, 0, "the set is empty");
    let mut others = Sets { plugins: sets.plugins, set: PluginSet::new()? };
    let id = others.set.add(store, &instance)?;
    assert_eq!(others.lines(&(id, exports))?, ["read 2"]);
    Ok(())
}

fn watching(uv: &mut UvCtxBuilder, input: UnixStream) {
    uv.descriptor("input", input)
        .expect("it can be granted")
        .signal(libc::SIGWINCH)
        .signal(libc::SIGURG)
        .signal(libc::SIGIO);
}

#[test]
fn a_trap_ends_one_plugin_and_the_others_go_on() -> Result<()> {
    let mut sets = Sets::new()?;
    let clock = VirtualClock::new();
    let [fails, goes_on] = [(); 2].map(|()| {
        sets.add(|uv| {
            uv.virtual_clock(&clock);
        })
    });
    let (fails, goes_on) = (fails?, goes_on?);
    fails.1.call_later(sets.set.store(fails.0).unwrap(), 1, "trap")?;
    let error = sets.end_of(fails.0)?;
    assert!(format!("{error:?}").contains("unreachable"), "{error:?}");
    assert!(sets.set.store(fails.0).is_none() && sets.set.remove(fails.0).is_none());
    goes_on.1.call_tick(sets.set.store(goes_on.0).unwrap(), 1)?;
    assert_eq!(sets.lines(&goes_on)?, ["tick 1"]);
    // Another plugin in its place is not mistaken for it.
    let another = sets.add(virtual_time)?;
    assert!(another.0 != fails.0 && sets.set.store(fails.0).is_none() && !sets.set.alive(fails.0));
    assert_eq!((sets.set.len(), sets.set.is_empty()), (2, false));
    Ok(())
}

#[test]
fn an_interrupt_from_another_thread_ends_a_plugin_that_waits_or_is_parked() -> Result<()> {
    for every in [None, Some(3_600_000)] {
        let mut sets = Sets::new()?;
        let mut interrupt = None;
        let (id, exports) = sets.add(|uv| interrupt = Some(uv.interrupt_handle()))?;
        if let Some(every) = every {
            exports.call_tick(sets.set.store(id).unwrap(), every)?;
        }
        sets.settle()?;
        let thread = thread::spawn(move || interrupt.unwrap().interrupt());
        assert!(sets.end_of(id)?.is::<Interrupted>());
        thread.join().expect("it does not panic");
        assert!(sets.set.is_empty());
    }
    Ok(())
}
