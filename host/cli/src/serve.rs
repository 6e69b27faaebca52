//! `--serve`: a guest that exports `wasi:http/handler` of WASI 0.3 answers HTTP requests.
//!
//! One instance answers all of them, beside each other. A plugin's loops run for as long as it
//! serves, also while there is no request.

use crate::ending;
use crate::guest::Guest;
use crate::output::say;
use crate::shared::http_connections::{self, Limits};
use crate::timeout::Timeout;
use crate::values::Address;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use std::convert::Infallible;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use uv_handles_host::{Plugin, is_plugin};
use wasmtime::component::{Accessor, AccessorTask, Instance};
use wasmtime::error::Context;
use wasmtime::{Result, Store};
use wasmtime_wasi_http::p3::Request;
use wasmtime_wasi_http::p3::bindings::{Service, ServicePre};
use wasmtime_wasi_http::{FieldMap, WasiBody, WasiHttpView};

/// The limits of clients. An answer may take and stream as long as the guest lets it: a connection has
/// no age.
const LIMITS: Limits = Limits {
    connections: 512,
    buffer: 64 << 10,
    head: Duration::from_secs(60),
    age: Duration::MAX,
    end: Duration::MAX,
    rest: Duration::from_secs(1),
    half_close: false,
};

type Response = http::Response<WasiBody>;

/// A linked guest, and the socket that its requests come from.
pub struct Server {
    service: ServicePre<Guest>,
    listener: TcpListener,
    runtime: Runtime,
}

impl Server {
    /// Listens on the address, and reports it.
    pub fn listen(service: ServicePre<Guest>, address: &Address, runtime: Runtime) -> Result<Server> {
        let addresses = address.resolve().with_context(|| format!("--serve {address} cannot be resolved"))?;
        let listener = TcpListener::bind(&addresses[..]).with_context(|| format!("--serve {address}"))?;
        listener.set_nonblocking(true)?;
        say(format!("serves HTTP on http://{}", listener.local_addr()?));
        Ok(Server { service, listener, runtime })
    }

    /// Whether the guest's loops are run by the host.
    pub fn has_plugin(&self) -> bool {
        is_plugin(self.service.instance_pre().component())
    }

    /// Makes an instance. Code of the guest may run.
    pub fn instantiate(&self, store: &mut Store<Guest>) -> Result<Instance> {
        self.runtime.block_on(self.service.instance_pre().instantiate_async(store))
    }

    /// Answers requests until the guest traps or is interrupted.
    pub fn run(
        &self,
        mut store: Store<Guest>,
        instance: &Instance,
        timeout: Option<&Timeout>,
    ) -> Result<ExitCode> {
        let service = Arc::new(Service::new(&mut store, instance)?);
        self.runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener.try_clone()?)?;
            let (send, mut calls) = unbounded_channel();
            tokio::spawn(accept(listener, send));
            let serve = async |store: &Accessor<Guest>| serve(store, &service, &mut calls).await;
            Ok(if self.has_plugin() {
                let mut plugin = Plugin::new(store, instance)?;
                let ended = plugin.run_concurrent(serve).await.flatten();
                code(ended, plugin.store(), timeout)
            } else {
                let ended = store.run_concurrent(serve).await.flatten();
                code(ended, &store, timeout)
            })
        })
    }
}

fn code(ended: Result<()>, store: &Store<Guest>, timeout: Option<&Timeout>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ending::report(&error, store, timeout),
    }
}

/// Accepts connections, and passes their requests on.
async fn accept(listener: tokio::net::TcpListener, calls: UnboundedSender<Call>) {
    let call = service_fn(move |request| {
        let calls = calls.clone();
        async move {
            let (answer, response) = oneshot::channel();
            let _ = calls.send(Call { request, answer });
            // The guest has ended if there is no answer.
            Ok::<_, Infallible>(response.await.unwrap_or_else(|_| failed("the guest has ended")))
        }
    });
    http_connections::serve(listener, call, LIMITS, std::future::pending()).await;
}

/// A request, and where its response goes.
struct Call {
    request: http::Request<Incoming>,
    answer: oneshot::Sender<Response>,
}

/// Begins a call of the guest for each request.
async fn serve(
    store: &Accessor<Guest>,
    service: &Arc<Service>,
    calls: &mut UnboundedReceiver<Call>,
) -> Result<()> {
    while let Some(call) = calls.recv().await {
        store.spawn(Handling { service: service.clone(), call })?;
    }
    Ok(())
}

struct Handling {
    service: Arc<Service>,
    call: Call,
}

impl AccessorTask<Guest> for Handling {
    /// An error is a trap, and ends the guest.
    async fn run(self, store: &Accessor<Guest>) -> Result<()> {
        let Call { request, mut answer } = self.call;
        let response = tokio::select! {
            response = handle(store, &self.service, request) => response?,
            // The client has gone.
            () = answer.closed() => return Ok(()),
        };
        let _ = answer.send(response);
        Ok(())
    }
}

async fn handle(
    store: &Accessor<Guest>,
    service: &Service,
    request: http::Request<Incoming>,
) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let host = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok()?.parse().ok());
    let (request, sent) = store.with(|mut store| {
        Request::new(
            parts.method,
            Some(http::uri::Scheme::HTTP),
            parts.uri.authority().cloned().or(host),
            parts.uri.path_and_query().cloned(),
            FieldMap::new_immutable(store.get().http().hooks, parts.headers),
            None,
            body,
        )
    });
    match service.handle(store, request).await? {
        Ok(response) => store.with(|store| response.into_http(store, sent)),
        Err(code) => {
            tracing::info!("a request has failed: {code:?}");
            Ok(failed("the request has failed"))
        }
    }
}

/// The response to a request that the guest has not answered.
fn failed(reason: &'static str) -> Response {
    let body = Full::new(Bytes::from_static(reason.as_bytes())).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    response
}
