//! Calls of a plugin that has ended, by an interrupt or a trap: they fail, and other plugins go on.

// Guests have pipes and signals.
#![cfg(unix)]

use std::io::Write;
use uv_handles_host::{Interrupted, Plugin, PluginSet, SendError, UvCtx, UvCtxBuilder};
use uv_handles_tests::os::stream_pair;
use uv_handles_tests::plugins::{Exports, Plugins, SyncPlugins, config, in_time, plugin, virtual_plugin};
use uv_handles_tests::{PATIENCE, State};
use wasmtime::{Result, Store};

/// Each export that uses its handles, by number. The result is the export's, or that of an SDK that
/// does not expect the error.
macro_rules! call_export {
    ($exports:ident, $store:expr, $number:expr $(, $wait:tt)?) => {
        match $number {
            0 => $exports.call_tick($store, 1)$(.$wait)?.map(|()| String::new()),
            1 => $exports.call_close($store)$(.$wait)?.map(|()| String::new()),
            2 => $exports.call_listen($store, "go")$(.$wait)?.map(|()| String::new()),
            3 => $exports.call_spin($store)$(.$wait)?.map(|()| String::new()),
            4 => $exports.call_later($store, 1, "drop")$(.$wait)?.map(|()| String::new()),
            5 => $exports.call_pass($store, "other", b"message")$(.$wait)?.map(|status| format!("{status:?}")),
            6 => $exports.call_watch($store, libc::SIGURG, "input")$(.$wait)?.map(|()| String::new()),
            7 => $exports.call_flood($store, 3)$(.$wait)?.map(|()| String::new()),
            8 => $exports.call_sleeper($store, 1, false)$(.$wait)?,
            9 => $exports.call_wait_for($store, "go", 1)$(.$wait)?.map(|()| String::new()),
            _ => $exports.call_run($store)$(.$wait)?,
        }
    };
}

/// The number of exports that `call_export` knows.
const EXPORTS: u32 = 11;

/// Grants something of every kind.
fn grant(uv: &mut UvCtxBuilder, other: &mut UvCtxBuilder) {
    let (mut ours, theirs) = stream_pair();
    ours.write_all(b"unread").expect("it is open");
    uv.descriptor("input", theirs).expect("it can be granted").signal(libc::SIGURG);
    uv.async_sender("go");
    uv.async_connection("other", &other.async_sender("other"));
}

/// A plugin with open handles of every kind, interrupted, and dispatched since.
async fn interrupted() -> Result<(Plugin<State>, Exports)> {
    let mut interrupt = None;
    let mut other = UvCtx::builder();
    let (mut plugin, exports) = plugin(|uv| {
        grant(uv, &mut other);
        interrupt = Some(uv.interrupt_handle());
    })
    .await?;
    exports.call_tick(plugin.store(), 1 << 40).await?;
    exports.call_listen(plugin.store(), "go").await?;
    exports.call_watch(plugin.store(), libc::SIGURG, "input").await?;
    interrupt.expect("it was granted").interrupt();
    let error = plugin.dispatch().await.expect_err("it is interrupted");
    assert!(error.is::<Interrupted>(), "{error:?}");
    Ok((plugin, exports))
}

#[tokio::test]
async fn exports_of_an_interrupted_plugin_get_errors() -> Result<()> {
    for number in 0..EXPORTS {
        let (mut plugin, exports) = interrupted().await?;
        // An error value, or a trap of the guest. A panic of the host would end the test.
        let _ = call_export!(exports, plugin.store(), number, await);
        assert!(!plugin.alive(), "export {number} has made a handle");
        for _ in 0..2 {
            in_time(plugin.ready()).await?;
            assert!(plugin.dispatch().await.expect_err("it is interrupted").is::<Interrupted>());
        }
    }
    let (mut plugin, exports) = interrupted().await?;
    assert_eq!(exports.call_run(plugin.store()).await?, "ENOTSUP");
    assert!(exports.call_lines(plugin.store()).await?.is_empty());
    // No timer is left to close, and nothing calls back.
    exports.call_close(plugin.store()).await?;
    Ok(())
}

#[test]
fn an_interrupted_member_of_a_set_gets_errors_and_the_others_go_on() -> Result<()> {
    let plugins = SyncPlugins::new()?;
    let mut set = PluginSet::new()?;
    let (store, instance, goes_on) =
        plugins.instance(UvCtx::builder().virtual_time(true).plugin().build())?;
    let other = set.add(store, &instance)?;
    goes_on.call_tick(set.store(other).expect("it is in the set"), 1)?;
    for number in 0..EXPORTS {
        let mut uv = UvCtx::builder();
        grant(&mut uv, &mut UvCtx::builder());
        let interrupt = uv.interrupt_handle();
        let (store, instance, exports) = plugins.instance(uv.plugin().build())?;
        let id = set.add(store, &instance)?;
        let store = set.store(id).expect("it is in the set");
        exports.call_tick(&mut *store, 1 << 40)?;
        exports.call_listen(&mut *store, "go")?;
        exports.call_watch(&mut *store, libc::SIGURG, "input")?;
        interrupt.interrupt();
        let mut store = ended(&mut set)?;
        let _ = call_export!(exports, &mut store, number);
        // A set takes the store, and ends it again.
        let id = set.add(store, &instance)?;
        assert_eq!(set.turn(Some(PATIENCE))?.ended.pop().expect("it ends again").id, id);
    }
    let _ = goes_on.call_lines(set.store(other).expect("it is in the set"))?;
    while goes_on.call_lines(set.store(other).expect("it is in the set"))?.is_empty() {
        assert!(set.turn(Some(PATIENCE))?.ended.is_empty());
    }
    Ok(())
}

/// The store of the member that ends next.
fn ended(set: &mut PluginSet<State>) -> Result<Store<State>> {
    loop {
        if let Some(ended) = set.turn(Some(PATIENCE))?.ended.pop() {
            return Ok(ended.store);
        }
    }
}

/// Traps leave the instance unusable: wasmtime refuses further calls.
#[tokio::test]
async fn exports_of_a_trapped_plugin_are_refused() -> Result<()> {
    for number in 0..EXPORTS {
        let (mut plugin, exports) = virtual_plugin().await?;
        exports.call_tick(plugin.store(), 1).await?;
        exports.call_later(plugin.store(), 1, "trap").await?;
        in_time(plugin.ready()).await?;
        plugin.dispatch().await.expect_err("it traps");
        call_export!(exports, plugin.store(), number, await).expect_err("it has trapped");
        in_time(plugin.ready()).await?;
        plugin.dispatch().await.expect_err("it has trapped");
    }
    Ok(())
}

#[tokio::test]
async fn a_plugin_that_an_epoch_has_ended_is_refused() -> Result<()> {
    let (mut plugin, exports) = virtual_plugin().await?;
    exports.call_later(plugin.store(), 1, "forever").await?;
    in_time(plugin.ready()).await?;
    let engine = plugin.store().engine().clone();
    plugin.store().epoch_deadline_trap();
    plugin.store().set_epoch_deadline(1);
    engine.increment_epoch();
    let error = plugin.dispatch().await.expect_err("it does not return");
    assert!(format!("{error:?}").contains("interrupt"), "{error:?}");
    exports.call_close(plugin.store()).await.expect_err("it has trapped");
    // Its only timer has been called, so nothing is due.
    assert_eq!(plugin.dispatch().await?.callbacks, 0);
    Ok(())
}

#[tokio::test]
async fn a_plugin_without_fuel_is_refused() -> Result<()> {
    let mut config = config();
    config.epoch_interruption(false).consume_fuel(true);
    let plugins = Plugins::new(&config)?;
    let uv = || UvCtx::builder().virtual_time(true).plugin().build();
    // In a callback.
    let mut store = plugins.store(uv());
    store.set_fuel(u64::MAX)?;
    let (mut plugin, exports) = plugins.start_in(store).await?;
    exports.call_later(plugin.store(), 1, "forever").await?;
    in_time(plugin.ready()).await?;
    plugin.store().set_fuel(100_000)?;
    let error = plugin.dispatch().await.expect_err("it does not return");
    assert!(format!("{error:?}").contains("fuel"), "{error:?}");
    plugin.store().set_fuel(u64::MAX)?;
    exports.call_close(plugin.store()).await.expect_err("it has trapped");
    // Its only timer has been called, so nothing is due.
    assert_eq!(plugin.dispatch().await?.callbacks, 0);
    // In the start function, which makes a loop.
    let mut refused = 0;
    for fuel in (0..100_000).step_by(10_000) {
        let mut store = plugins.store(uv());
        store.set_fuel(fuel)?;
        refused += u32::from(plugins.start_in(store).await.is_err());
    }
    assert!(refused > 0, "the start function needs fuel");
    Ok(())
}

/// An interrupt before the plugin is instantiated, and one after each of its calls.
#[tokio::test]
async fn an_interrupt_at_any_time_is_an_error() -> Result<()> {
    let plugins = Plugins::new(&config())?;
    let mut uv = UvCtx::builder();
    uv.interrupt_handle().interrupt();
    let (mut plugin, exports) = plugins.start(uv.virtual_time(true).build()).await?;
    exports.call_tick(plugin.store(), 1).await?;
    assert!(plugin.dispatch().await.expect_err("it is interrupted").is::<Interrupted>());
    exports.call_close(plugin.store()).await?;

    let mut sender = None;
    let mut interrupt = None;
    let (mut plugin, exports) = plugin_with(&plugins, |uv| {
        sender = Some(uv.async_sender("go"));
        interrupt = Some(uv.interrupt_handle());
    })
    .await?;
    exports.call_listen(plugin.store(), "go").await?;
    interrupt.expect("it was granted").interrupt();
    let (handle, task) = plugin.spawn();
    let error = in_time(task).await.expect("it does not panic").expect_err("it is interrupted");
    assert!(error.is::<Interrupted>(), "{error:?}");
    assert!(handle.is_gone());
    assert_eq!(sender.expect("it was granted").send(), Err(SendError::Closed));
    Ok(())
}

async fn plugin_with(
    plugins: &Plugins,
    grant: impl FnOnce(&mut UvCtxBuilder),
) -> Result<(Plugin<State>, Exports)> {
    let mut uv = UvCtx::builder();
    grant(&mut uv);
    plugins.start(uv.build()).await
}
