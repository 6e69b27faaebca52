//! Hosts the plugins of a directory on one tokio runtime, with a status page.
//!
//! | file | what it knows |
//! | --- | --- |
//! | `cli` | the command line |
//! | `directory`, `manifest` | what the directory has, and what a manifest says |
//! | `component` | from bytes to a component that fits the world, or to one sentence about why it does not |
//! | `grants`, `guest` | what one life of a plugin gets: descriptors, async handles, WASI |
//! | `host` | all plugins: loading, reloading; the library's supervisor does the rest |
//! | `origin`, `body` | whose requests are served, and the reading of bodies |
//! | `http`, `page`, `view` | what is served |
//! | `shared` | uv-run's notation of grants, its checks of WASI's network, and its connections of clients |

#![forbid(unsafe_code)]

mod body;
mod cli;
mod component;
mod directory;
mod grants;
mod guest;
mod host;
mod http;
mod manifest;
mod origin;
mod page;
#[path = "../../../host/cli/src/shared/mod.rs"]
#[allow(dead_code, reason = "uv-run shows the names of signals")]
mod shared;
mod view;

use crate::cli::Cli;
use crate::host::Host;
use crate::origin::Names;
use crate::shared::http_connections::{self, Limits};
use clap::Parser;
use hyper_util::service::TowerToHyperService;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

/// The limits of clients.
fn limits(connections: usize) -> Limits {
    let [head, age, end, rest] = [10, 60, 30, 1].map(Duration::from_secs);
    Limits { connections, buffer: 16 << 10, head, age, end, rest, half_close: true }
}

/// How long clients that are being served may hold up the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false).init();
    start(cli).unwrap_or_else(|problem| {
        eprintln!("plugin-host: {problem}");
        ExitCode::from(2)
    })
}

/// Serves to the end. An error is the server's own failure, in one sentence.
fn start(cli: Cli) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("there is no runtime to be had: {error}"))?;
    let code = runtime.block_on(run(cli));
    // Threads that are still in a system call are abandoned.
    runtime.shutdown_timeout(Duration::from_millis(500));
    code
}

async fn run(cli: Cli) -> Result<ExitCode, String> {
    let handled = |kind| signal(kind).map_err(|error| format!("signals cannot be handled: {error}"));
    let mut hangup = handled(SignalKind::hangup())?;
    let (mut terminate, mut interrupt) =
        (handled(SignalKind::terminate())?, handled(SignalKind::interrupt())?);
    let mut stop = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let refused = |error: io::Error| format!("--listen {}: {error}", cli.listen);
    let listener = TcpListener::bind(cli.listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let host = Arc::new(Host::new(&cli)?);
    // Standard output may have no reader.
    let _ = writeln!(io::stdout(), "plugin-host: http://{address}/");

    let (shut, shutting) = oneshot::channel::<()>();
    let service = TowerToHyperService::new(http::router(host.clone(), Names(cli.host)));
    let limits = limits(cli.connections as usize);
    let server = tokio::spawn(http_connections::serve(listener, service, limits, async {
        let _ = shutting.await;
    }));
    loop {
        tokio::spawn(reload(host.clone()));
        tokio::select! {
            _ = hangup.recv() => tracing::info!("SIGHUP: the directory is read again"),
            () = stop() => break,
        }
    }
    tracing::info!("the plugins are stopped");
    let orderly = tokio::select! {
        interrupted = host.supervisor.stop() => interrupted.is_empty(),
        () = stop() => {
            tracing::warn!("asked to stop a second time: ended at once");
            false
        }
    };
    drop(shut);
    // A client that keeps its connection open does not delay the end.
    let _ = tokio::time::timeout(LAST_ANSWERS, server).await;
    Ok(if orderly { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn reload(host: Arc<Host>) {
    if let Err(problem) = host.reload().await {
        tracing::error!("{problem}");
    }
}
