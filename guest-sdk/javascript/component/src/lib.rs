//! The runtime component: the JavaScript runtime in the world of `../wit`.

#![cfg(target_family = "wasm")]

use bindings::exports::uv::javascript::image::Guest as Image;
use bindings::exports::uv::scripts::scripts::{Guest as Scripts, Raised};
use bindings::exports::wasi::cli::run::Guest as Run;
use uv_javascript::{image, script};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_code,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({
        path: ["../../python/wit/deps/cli", "../../scripts/scripts.wit", "../wit"],
        world: "uv:javascript/runtime",
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
        let result = script::call(&name, &source, path, &function, &arguments);
        result.map_err(|script::Raised { kind, message, traceback }| Raised { kind, message, traceback })
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

impl Image for Runtime {
    fn prepare(files: Vec<(String, Vec<u8>)>) {
        image::prepare(files);
    }

    fn peek(address: u32) -> u64 {
        image::peek(address)
    }

    fn size() -> u32 {
        image::size()
    }
}

bindings::export!(Runtime with_types_in bindings);
