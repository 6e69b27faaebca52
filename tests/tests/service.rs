//! Handlers of HTTP requests in WASI 0.3, which wait on the loop of a plugin: timers, signals and
//! async handles, beside the streams of WASI 0.3.

// Signals are requests of the service.
#![cfg(unix)]

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::UnsyncBoxBody};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc;
use uv_handles_host::{Plugin, UvCtx};
use uv_handles_tests::{PATIENCE, State, component};
use wasmtime::component::{Accessor, Component, InstancePre, Linker};
use wasmtime::{Config, Engine, Result, Store};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi_http::p3::bindings::Service;
use wasmtime_wasi_http::p3::{self, Request};
use wasmtime_wasi_http::{Error, FieldMap};

/// Compiles and links the guest, once for all tests.
fn linked() -> &'static InstancePre<State> {
    static LINKED: OnceLock<InstancePre<State>> = OnceLock::new();
    let link = || {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config)?;
        let mut linker = Linker::<State>::new(&engine);
        uv_handles_host::add_to_linker_async(&mut linker)?;
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        p3::add_to_linker(&mut linker)?;
        linker.instantiate_pre(&Component::from_file(&engine, component("service-guest"))?)
    };
    LINKED.get_or_init(|| link().expect("the guest can be linked"))
}

async fn service(uv: UvCtx) -> Result<(Plugin<State>, Service)> {
    let linked = linked();
    let wasi = WasiCtx::builder().inherit_stderr().build();
    let store = Store::new(linked.engine(), State::new(uv, wasi));
    let (mut plugin, instance) = Plugin::instantiate(store, linked).await?;
    let service = Service::new(plugin.store(), &instance)?;
    Ok((plugin, service))
}

/// Ends a test that would hang.
async fn in_time<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, future).await.expect("it does not hang")
}

/// Sends a request with this body, and returns the body of the response.
async fn send(
    service: &Service,
    store: &Accessor<State>,
    path: &str,
    body: UnsyncBoxBody<Bytes, Error>,
) -> Result<String> {
    let path = path.parse().expect("a path");
    let (request, _sent) =
        Request::new(http::Method::GET, None, None, Some(path), FieldMap::default(), None, body);
    let response = service.handle(store, request).await?.map_err(|code| wasmtime::format_err!("{code:?}"))?;
    let response = store.with(|store| response.into_http(store, async { Ok(()) }))?;
    let body = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}

async fn get(service: &Service, store: &Accessor<State>, path: &str) -> Result<String> {
    send(service, store, path, Empty::new().map_err(|never| match never {}).boxed_unsync()).await
}

/// Waits until the answer to a request is this one.
async fn until(service: &Service, store: &Accessor<State>, expected: &str) -> Result<()> {
    while get(service, store, "/").await? != expected {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_thousand_requests_wait_at_once_each_for_a_timer_of_its_own() -> Result<()> {
    let (mut plugin, service) = service(UvCtx::builder().build()).await?;
    in_time(plugin.run_concurrent(async |store| {
        // The timers are due when all requests have begun.
        let requests =
            (0..1_000).map(|n| get(&service, store, if n % 2 == 0 { "/wait/1500" } else { "/wait/1501" }));
        for answer in requests.collect::<FuturesUnordered<_>>().collect::<Vec<_>>().await {
            assert_eq!(answer?, "1000 at once");
        }
        until(&service, store, "0 in progress, 0 handles").await
    }))
    .await?
}

#[tokio::test]
async fn a_cancelled_wait_takes_nothing_with_it() -> Result<()> {
    let (mut plugin, service) = service(UvCtx::builder().build()).await?;
    in_time(plugin.run_concurrent(async |store| {
        let cancelled = (0..100).map(|_| get(&service, store, "/race/5")).collect::<FuturesUnordered<_>>();
        let others = (0..100).map(|_| get(&service, store, "/wait/20")).collect::<FuturesUnordered<_>>();
        let (cancelled, others) = tokio::join!(cancelled.collect::<Vec<_>>(), others.collect::<Vec<_>>());
        for answer in cancelled {
            assert_eq!(answer?, "cancelled");
        }
        assert_eq!(others.into_iter().filter(Result::is_ok).count(), 100);
        // The timers of all have been closed.
        until(&service, store, "0 in progress, 0 handles").await
    }))
    .await?
}

#[tokio::test]
async fn a_request_that_the_host_drops_takes_nothing_with_it() -> Result<()> {
    let mut uv = UvCtx::builder();
    let sender = uv.async_sender("go");
    let (mut plugin, service) = service(uv.build()).await?;
    in_time(plugin.run_concurrent(async |store| {
        let woken = get(&service, store, "/wake/go");
        let drops = async {
            until(&service, store, "1 in progress, 1 handles").await?;
            let dropped = tokio::time::timeout(Duration::from_millis(5), get(&service, store, "/wait/50"));
            assert!(dropped.await.is_err());
            until(&service, store, "1 in progress, 1 handles").await?;
            sender.send().expect("the guest listens");
            Ok::<_, wasmtime::Error>(())
        };
        let (woken, dropped) = tokio::join!(woken, drops);
        dropped?;
        assert_eq!(woken?, "woken");
        until(&service, store, "0 in progress, 0 handles").await
    }))
    .await?
}

#[tokio::test]
async fn callbacks_are_called_while_handlers_are_suspended() -> Result<()> {
    let mut uv = UvCtx::builder();
    uv.signal(libc::SIGUSR2);
    let sender = uv.async_sender("go");
    let (mut plugin, service) = service(uv.build()).await?;
    in_time(plugin.run_concurrent(async |store| {
        let path = format!("/signal/{}", libc::SIGUSR2);
        let signalled = get(&service, store, &path);
        let woken = get(&service, store, "/wake/go");
        let sends = async {
            until(&service, store, "2 in progress, 2 handles").await?;
            assert_eq!(get(&service, store, "/tick/1").await?, "ticking");
            // The other two are suspended; no call of them brings a callback.
            while get(&service, store, "/ticks").await?.parse::<u32>().unwrap() < 5 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            until(&service, store, "2 in progress, 3 handles").await?;
            sender.send().expect("the guest listens");
            until(&service, store, "1 in progress, 2 handles").await?;
            uv_handles_tests::os::kill_self(libc::SIGUSR2);
            Ok::<_, wasmtime::Error>(())
        };
        let (signalled, woken, sent) = tokio::join!(signalled, woken, sends);
        sent?;
        assert_eq!((&signalled?[..], &woken?[..]), ("signalled", "woken"));
        Ok(())
    }))
    .await?
}

/// A body whose chunks the test sends.
fn body() -> (mpsc::UnboundedSender<Bytes>, UnsyncBoxBody<Bytes, Error>) {
    let (send, chunks) = mpsc::unbounded_channel();
    let frames = futures_util::stream::unfold(chunks, |mut chunks| async {
        Some((Ok(http_body::Frame::data(chunks.recv().await?)), chunks))
    });
    (send, StreamBody::new(frames).boxed_unsync())
}

#[tokio::test]
async fn streams_are_awaited_beside_timers() -> Result<()> {
    let (mut plugin, service) = service(UvCtx::builder().build()).await?;
    in_time(plugin.run_concurrent(async |store| {
        let whole = Full::new(Bytes::from(vec![b'a'; 1_000])).map_err(|never| match never {}).boxed_unsync();
        assert_eq!(send(&service, store, "/echo/60000", whole).await?, "A".repeat(1_000));
        // A client that stops in the middle.
        let (chunks, slow) = body();
        chunks.send(Bytes::from_static(b"half")).expect("the body is read");
        assert_eq!(send(&service, store, "/echo/50", slow).await?, "HALFtimed out");
        drop(chunks);
        until(&service, store, "0 in progress, 0 handles").await
    }))
    .await?
}

#[tokio::test]
async fn a_task_serves_requests() -> Result<()> {
    let (plugin, service) = service(UvCtx::builder().build()).await?;
    let (handle, task) = plugin.spawn();
    let service = Arc::new(service);
    let request = |path: &'static str| {
        let service = service.clone();
        handle.call_concurrent(move |store| Box::pin(async move { get(&service, store, path).await }))
    };
    in_time(async {
        let (slow, quick) = tokio::join!(request("/wait/30"), request("/wait/1"));
        assert_eq!((&slow??[..], &quick??[..]), ("2 at once", "2 at once"));
        Ok(())
    })
    .await?;
    // A trap ends the plugin, and so every request.
    in_time(async {
        let (waiting, trapped) = tokio::join!(request("/wait/60000"), request("/trap"));
        assert!(waiting.is_err() && trapped.is_err());
        Ok(())
    })
    .await?;
    assert!(in_time(async { task.await.expect("it does not panic") }).await.is_err());
    Ok(())
}
