//! Runs a component in wasmCloud's host, as a service, like the service of a wasmCloud `Workload`.
//!
//! `uv-handles-runtime-wasmcloud COMPONENT.wasm`. The component gets this program's environment,
//! and prints to its standard output. The host does not report that a service has returned, so this
//! program runs until its standard input ends.

use anyhow::{Context, Result};
use std::collections::HashMap;
use std::io::Read;
use wash_runtime::engine::Engine;
use wash_runtime::host::{HostApi, HostBuilder};
use wash_runtime::types::{LocalResources, Service, Workload, WorkloadStartRequest};

#[tokio::main]
async fn main() -> Result<()> {
    let file = std::env::args().nth(1).context("which component?")?;
    let bytes = std::fs::read(&file).with_context(|| file.clone())?;
    let host = HostBuilder::new().with_engine(Engine::builder().build()?).build()?.start().await?;
    let local_resources = LocalResources { environment: std::env::vars().collect(), ..Default::default() };
    let workload = Workload {
        namespace: "tests".into(),
        name: "composed".into(),
        annotations: HashMap::new(),
        service: Some(Service { bytes: bytes.into(), local_resources, max_restarts: 0 }),
        components: Vec::new(),
        host_interfaces: Vec::new(),
        volumes: Vec::new(),
    };
    host.workload_start(WorkloadStartRequest { workload }).await?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}
