//! Programs with async functions: their tasks wait beside each other, in a tokio runtime.

use crate::guest::Guest;
use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Result, Store};
use wasmtime_wasi::p2::bindings::{Command, CommandPre};

mod wasi_0_3 {
    #![allow(missing_docs, missing_debug_implementations, reason = "generated code")]

    wasmtime::component::bindgen!({
        inline: "
            package wasi:cli@0.3.0;
            interface run {
                run: async func() -> result;
            }
            world program {
                export run;
            }
        ",
        exports: { default: async | store },
    });
}

/// A linked program that exports the `run` of WASI 0.3, or that of WASI 0.2 and imports async
/// functions.
pub enum AsyncProgram {
    Async(wasi_0_3::ProgramPre<Guest>),
    Plain(CommandPre<Guest>),
}

impl AsyncProgram {
    /// Fails if the component does not export either.
    pub fn new(instance: InstancePre<Guest>) -> Result<AsyncProgram> {
        match wasi_0_3::ProgramPre::new(instance.clone()) {
            Ok(program) => Ok(AsyncProgram::Async(program)),
            Err(_) => CommandPre::new(instance).map(AsyncProgram::Plain),
        }
    }

    /// Makes an instance. Code of the guest may run.
    pub async fn instantiate(&self, store: &mut Store<Guest>) -> Result<Instance> {
        match self {
            AsyncProgram::Async(program) => program.instance_pre().instantiate_async(store).await,
            AsyncProgram::Plain(program) => program.instance_pre().instantiate_async(store).await,
        }
    }

    /// Runs the program to its end.
    pub async fn run(&self, store: &mut Store<Guest>, instance: &Instance) -> Result<Result<(), ()>> {
        match self {
            AsyncProgram::Async(_) => {
                let program = wasi_0_3::Program::new(&mut *store, instance)?;
                store.run_concurrent(async |store| program.wasi_cli_run().call_run(store).await).await?
            }
            AsyncProgram::Plain(_) => {
                let program = Command::new(&mut *store, instance)?;
                program.wasi_cli_run().call_run(store).await
            }
        }
    }
}
