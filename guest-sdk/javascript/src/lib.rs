//! The JavaScript runtime: QuickJS and the event loop of uv:handles in a component that runs
//! scripts.
//!
//! The scripts' globals are written in JavaScript, in `../js`. They call the functions of the
//! module `native`. This crate has nothing to offer on the machine itself.

#![cfg(target_family = "wasm")]

mod engine;
mod modules;
mod native;
mod script;

use crate::bindings::exports::uv::scripts::scripts::{Guest as Scripts, Raised};
use crate::bindings::exports::wasi::cli::run::Guest as Run;

mod bindings {
    #![allow(
        missing_docs,
        unsafe_code,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({
        path: ["../python/wit/deps/cli", "../scripts/scripts.wit", "wit"],
        world: "uv:javascript/runtime",
        generate_all,
    });
}

struct Runtime;

impl Scripts for Runtime {
    fn run(name: String, source: Vec<u8>, args: Vec<String>, path: Vec<String>) -> u8 {
        script::run(&name, &source, args, path)
    }

    fn call(
        name: String,
        source: Vec<u8>,
        path: Vec<String>,
        function: String,
        arguments: String,
    ) -> Result<String, Raised> {
        script::call(&name, &source, path, &function, &arguments)
    }
}

impl Run for Runtime {
    fn run() -> Result<(), ()> {
        let mut args = std::env::args().skip(1);
        let Some(name) = args.next() else {
            eprintln!("usage: SCRIPT.js [ARGS]...");
            return Err(());
        };
        let source = match std::fs::read(&name) {
            Ok(source) => source,
            Err(error) => {
                eprintln!("cannot read {name}: {error}");
                return Err(());
            }
        };
        let dir = name.rsplit_once('/').map_or(".", |(dir, _)| dir).to_owned();
        match script::run(&name, &source, args.collect(), vec![dir]) {
            0 => Ok(()),
            _ => Err(()),
        }
    }
}

bindings::export!(Runtime with_types_in bindings);
