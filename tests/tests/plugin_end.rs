//! The ends of plugins: by a trap, by an interrupt, on request, or because they do not return.

use std::time::Duration;
use uv_handles_host::{
    CallError, DeadlineExceeded, EpochTicker, Interrupted, PluginGone, STOP, SendError, Stopped, UvCtx,
    UvCtxBuilder, engine_config,
};
use uv_handles_tests::PATIENCE;
use uv_handles_tests::plugins::{Plugins, in_time, lines, plugin, to_the_end, virtual_plugin};
use wasmtime::Result;

/// The time limit for a plugin that has to be interrupted anyway.
const NO_GRACE: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_trap_ends_the_plugin_with_its_reason_and_nothing_else() -> Result<()> {
    let (plugin, exports) = virtual_plugin().await?;
    let (other, its_exports) = virtual_plugin().await?;
    let (handle, task) = plugin.spawn();
    let (other, _other_task) = other.spawn();
    handle.call(|store| Box::pin(async move { exports.call_later(store, 1, "trap").await })).await??;
    let error = in_time(task).await.unwrap().unwrap_err();
    assert!(format!("{error:?}").contains("unreachable"), "{error:?}");
    let call = handle.call(|_| Box::pin(async {})).await;
    assert_eq!(call, Err(PluginGone));
    let its_exports = std::sync::Arc::new(its_exports);
    assert!(lines(&other, &its_exports).await.is_empty());
    Ok(())
}

#[tokio::test]
async fn an_interrupt_ends_a_plugin_that_waits() -> Result<()> {
    let mut interrupt = None;
    let (plugin, exports) = plugin(|uv| interrupt = Some(uv.interrupt_handle())).await?;
    let (handle, task) = plugin.spawn();
    handle.call(|store| Box::pin(async move { exports.call_tick(store, 1 << 40).await })).await??;
    interrupt.unwrap().interrupt();
    let error = in_time(task).await.unwrap().unwrap_err();
    assert!(error.is::<Interrupted>(), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn an_interrupt_ends_a_plugin_that_is_parked() -> Result<()> {
    let mut interrupt = None;
    let (plugin, exports) = plugin(|uv| interrupt = Some(uv.interrupt_handle())).await?;
    let (handle, task) = plugin.spawn();
    // It has a loop without handles.
    let answer = handle.call(|store| Box::pin(async move { exports.call_run(store).await })).await??;
    assert_eq!(answer, "ENOTSUP");
    interrupt.unwrap().interrupt();
    let error = in_time(task).await.unwrap().unwrap_err();
    assert!(error.is::<Interrupted>(), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_plugin_comes_to_its_end_when_it_is_asked_to() -> Result<()> {
    let grant = |uv: &mut UvCtxBuilder| {
        uv.virtual_time(true).async_sender(STOP);
    };
    let (mut plugin, exports) = plugin(grant).await?;
    exports.call_tick(plugin.store(), 1_000).await?;
    exports.call_stop_after(plugin.store(), 10_000).await?;
    let (handle, task) = plugin.spawn();
    assert!(!handle.is_gone());
    assert_eq!(handle.stop(PATIENCE).await, Stopped::ByItself);
    assert!(handle.is_gone());
    task.await.unwrap()?;
    assert_eq!(handle.stop(PATIENCE).await, Stopped::ByItself, "once more does no harm");
    Ok(())
}

#[tokio::test]
async fn a_plugin_that_does_not_want_to_know_is_stopped_at_once() -> Result<()> {
    let (mut plugin, exports) = plugin(|_| {}).await?;
    exports.call_tick(plugin.store(), 1_000_000).await?;
    let (handle, task) = plugin.spawn();
    assert_eq!(handle.stop(PATIENCE).await, Stopped::ByItself);
    task.await.unwrap()?;
    Ok(())
}

#[tokio::test]
async fn a_plugin_that_takes_too_long_is_interrupted() -> Result<()> {
    let grant = |uv: &mut UvCtxBuilder| {
        uv.async_sender(STOP);
    };
    let (mut plugin, exports) = plugin(grant).await?;
    exports.call_stop_after(plugin.store(), 1_000_000_000).await?;
    let (handle, task) = plugin.spawn();
    assert_eq!(in_time(handle.stop(NO_GRACE)).await, Stopped::Interrupted);
    assert!(task.await.unwrap().unwrap_err().is::<Interrupted>());
    Ok(())
}

/// It waits where neither its loop nor an epoch can see it.
#[tokio::test]
async fn a_plugin_that_blocks_in_another_host_function_is_interrupted() -> Result<()> {
    let grant = |uv: &mut UvCtxBuilder| {
        uv.async_sender(STOP);
    };
    let (mut plugin, exports) = plugin(grant).await?;
    exports.call_stop_after(plugin.store(), 0).await?;
    exports.call_sleep_later(plugin.store(), 0).await?;
    let (handle, task) = plugin.spawn();
    // Not answered before the callback, which never ends.
    let called = handle.clone();
    let call = tokio::spawn(async move { called.call(|_| Box::pin(async {})).await });
    assert_eq!(in_time(handle.stop(NO_GRACE)).await, Stopped::Interrupted);
    assert!(task.await.unwrap().unwrap_err().is::<Interrupted>());
    // Answered first or not at all.
    let _ = in_time(call).await.unwrap();
    assert_eq!(handle.call(|_| Box::pin(async {})).await, Err(PluginGone));
    Ok(())
}

/// It computes without end. Epochs reach it, and others have their turn on the same thread
/// meanwhile.
#[tokio::test]
async fn a_plugin_that_spins_is_interrupted() -> Result<()> {
    let plugins = Plugins::new(&engine_config(1))?;
    let _ticker = EpochTicker::start(plugins.engine(), Duration::from_millis(1))?;
    let uv = UvCtx::builder().virtual_time(true).build();
    let interrupt = uv.interrupt_handle();
    let (mut plugin, exports) = plugins.start(uv).await?;
    exports.call_later(plugin.store(), 1, "forever").await?;
    in_time(plugin.ready()).await?;
    // It gets its turn only because the plugin is made to yield.
    let interrupting = tokio::spawn(async move { interrupt.interrupt() });
    let error = in_time(plugin.dispatch()).await.unwrap_err();
    assert!(error.is::<Interrupted>(), "{error:?}");
    interrupting.await.unwrap();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_ends_a_plugin_that_never_returns() -> Result<()> {
    let (mut plugin, exports) = virtual_plugin().await?;
    let engine = plugin.store().engine().clone();
    // As an embedder may have it without this crate's help.
    plugin.store().epoch_deadline_trap();
    let (handle, task) = plugin.spawn();
    handle.call(|store| Box::pin(async move { exports.call_later(store, 1, "forever").await })).await??;
    engine.increment_epoch();
    let error = in_time(task).await.unwrap().unwrap_err();
    assert!(format!("{error:?}").contains("interrupt"), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_panic_in_a_task_ends_the_plugin() -> Result<()> {
    let (mut plugin, exports) = virtual_plugin().await?;
    exports.call_sleeper(plugin.store(), 10, true).await?;
    let error = to_the_end(&mut plugin, &exports).await.unwrap_err();
    assert!(format!("{error:?}").contains("unreachable"), "{error:?}");
    Ok(())
}

/// wasmtime refuses to enter a trapped instance, which the task notices with the next event.
#[tokio::test]
async fn a_trap_in_a_call_is_the_callers_and_ends_the_task_at_the_next_event() -> Result<()> {
    let mut sender = None;
    let (mut plugin, exports) = plugin(|uv| sender = Some(uv.async_sender("jobs"))).await?;
    exports.call_take(plugin.store(), "jobs").await?;
    exports.call_wait_for(plugin.store(), "none", 1).await.unwrap_err();
    let sender = sender.unwrap();
    let (handle, task) = plugin.spawn();
    let error = handle.call(|_| Box::pin(async {})).await;
    assert_eq!(error, Ok(()));
    assert!(!handle.is_gone() && sender.is_open());
    sender.send_message("a job").unwrap();
    assert!(in_time(task).await.unwrap().is_err());
    assert!(handle.is_gone() && !sender.is_open());
    assert_eq!(sender.send(), Err(SendError::Closed));
    assert_eq!(handle.call(|_| Box::pin(async {})).await, Err(PluginGone));
    Ok(())
}

#[tokio::test]
async fn an_error_of_a_call_with_a_deadline_ends_the_plugin() -> Result<()> {
    let mut sender = None;
    let (mut plugin, exports) = plugin(|uv| sender = Some(uv.async_sender("jobs"))).await?;
    exports.call_take(plugin.store(), "jobs").await?;
    let sender = sender.unwrap();
    let (handle, task) = plugin.spawn();
    let call = handle.call_within(PATIENCE, |store| {
        Box::pin(async move {
            exports.call_lines(&mut *store).await?;
            exports.call_wait_for(store, "none", 1).await
        })
    });
    let Err(CallError::Failed(error)) = in_time(call).await else { panic!("it traps") };
    assert!(error.contains("unreachable"), "{error}");
    let ended = in_time(task).await.unwrap().unwrap_err();
    assert!(format!("{ended:#}").contains("unreachable"), "{ended:#}");
    assert!(handle.is_gone() && !sender.is_open());
    Ok(())
}

/// One call waits for its turn and is not made; the one before is dropped, and ends the plugin.
#[tokio::test]
async fn a_call_ends_at_its_deadline() -> Result<()> {
    let (plugin, _) = plugin(|_| {}).await?;
    let (handle, task) = plugin.spawn();
    let (entered, begun) = tokio::sync::oneshot::channel();
    let blocking = handle.clone();
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let first = tokio::spawn(async move {
        let call = blocking.call(|_| {
            Box::pin(async move {
                entered.send(()).unwrap();
                let _ = released.await;
            })
        });
        call.await
    });
    in_time(begun).await.unwrap();
    let late = handle.call_within(NO_GRACE, |_| Box::pin(async { unreachable!("it is not made") }));
    assert_eq!(in_time(late).await, Err::<(), _>(CallError::DeadlineExceeded));
    drop(release);
    assert_eq!(in_time(first).await.unwrap(), Ok(()));
    assert_eq!(handle.call(|_| Box::pin(async {})).await, Ok(()), "the plugin continues");

    let endless = handle.call_within(NO_GRACE, |_| Box::pin(std::future::pending::<Result<()>>()));
    assert_eq!(in_time(endless).await, Err(CallError::DeadlineExceeded));
    assert!(
        in_time(task).await.unwrap().unwrap_err().downcast::<DeadlineExceeded>().unwrap()
            == DeadlineExceeded::Call
    );
    assert!(handle.is_gone());
    Ok(())
}
