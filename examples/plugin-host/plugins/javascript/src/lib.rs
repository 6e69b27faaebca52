//! A plugin in JavaScript: the JavaScript runtime in the server's world.
//!
//! The script is not here. `cargo xtask javascript --plugin SCRIPT.js` builds this component and
//! stores the script in its image.

#![cfg(target_family = "wasm")]

use bindings::exports::uv::javascript::image::Guest as Image;
use uv_javascript::{image, plugin};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({
        path: [
            "../../../../guest-sdk/python/wit/deps/cli",
            "../../../../guest-sdk/scripts/scripts.wit",
            "../../../../guest-sdk/javascript/wit",
            "../../wit",
        ],
        inline: "
            package plugin-host:javascript;

            world plugin {
                include plugin-host:plugin/plugin;
                export uv:javascript/image@0.1.0;
            }
        ",
    });
}

uv_handles::plugin!();

struct Component;

bindings::export!(Component with_types_in bindings);

impl bindings::Guest for Component {
    fn init(config: Vec<(String, String)>) -> Result<(), String> {
        plugin::init(config)
    }
}

impl Image for Component {
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
