//! Hosts the plugins of a directory on one tokio runtime, with a status page.
//!
//! | file | what it knows |
//! | --- | --- |
//! | `cli` | the command line |
//! | `directory`, `manifest` | what the directory has, and what a manifest says |
//! | `component` | from bytes to a component that fits the world, or to one sentence about why it does not |
//! | `grants`, `guest` | what one life of a plugin gets: descriptors, async handles, WASI |
//! | `host` | all plugins: loading, reloading; the library's supervisor does the rest |
//! | `server`, `origin`, `body` | connections within limits, whose requests are served, and the reading of bodies |
//! | `http`, `page`, `view` | what is served |

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
#[path = "../../../host/cli/src/network.rs"]
mod network;
mod origin;
mod page;
mod server;
#[path = "../../../host/cli/src/signals.rs"]
#[allow(dead_code, reason = "uv-run shows names")]
mod signals;
mod view;

use crate::cli::Cli;
use crate::host::Host;
use crate::origin::Names;
use clap::Parser;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

/// How long clients that are being served may hold up the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&format!("there is no runtime to be had: {error}")),
    };
    let code = runtime.block_on(run(cli));
    // Threads that are still in a system call are abandoned.
    runtime.shutdown_timeout(Duration::from_millis(500));
    code
}

/// The server's own failure: one sentence, and an exit code.
fn refuse(problem: &str) -> ExitCode {
    eprintln!("plugin-host: {problem}");
    ExitCode::from(2)
}

async fn run(cli: Cli) -> ExitCode {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return refuse(&format!("signals cannot be handled: {error}")),
    };
    let listener = match TcpListener::bind(cli.listen).await {
        Ok(listener) => listener,
        Err(error) => return refuse(&format!("--listen {}: {error}", cli.listen)),
    };
    let host = match Host::new(&cli) {
        Ok(host) => Arc::new(host),
        Err(problem) => return refuse(&problem),
    };
    match listener.local_addr() {
        Ok(address) => {
            // Standard output may have no reader.
            let _ = writeln!(io::stdout(), "plugin-host: http://{address}/");
        }
        Err(error) => return refuse(&format!("--listen {}: {error}", cli.listen)),
    }

    let (shut, shutting) = oneshot::channel::<()>();
    let router = http::router(host.clone(), Names(cli.host));
    let limits = server::Limits::new(cli.connections as usize);
    let server = tokio::spawn(server::serve(listener, router, limits, async {
        let _ = shutting.await;
    }));
    tokio::spawn(reload(host.clone()));
    while let Asked::Reload = signals.next().await {
        tracing::info!("SIGHUP: the directory is read again");
        tokio::spawn(reload(host.clone()));
    }
    tracing::info!("the plugins are stopped");
    let orderly = tokio::select! {
        orderly = host.supervisor.stop() => orderly,
        () = signals.stop_again() => {
            tracing::warn!("asked to stop a second time: ended at once");
            false
        }
    };
    drop(shut);
    // A client that keeps its connection open does not delay the end.
    let _ = tokio::time::timeout(LAST_ANSWERS, server).await;
    if orderly { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn reload(host: Arc<Host>) {
    if let Err(problem) = host.reload().await {
        tracing::error!("{problem}");
    }
}

enum Asked {
    Reload,
    Stop,
}

/// The signals that the server handles.
struct Signals {
    hup: Signal,
    term: Signal,
    int: Signal,
}

impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals {
            hup: signal(SignalKind::hangup())?,
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.hup.recv() => Asked::Reload,
            _ = self.term.recv() => Asked::Stop,
            _ = self.int.recv() => Asked::Stop,
        }
    }

    async fn stop_again(&mut self) {
        while let Asked::Reload = self.next().await {}
    }
}
