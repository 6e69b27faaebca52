//! Components: what cannot be loaded, in one sentence.

use crate::component::Components;

#[test]
fn what_does_not_fit_is_refused_in_one_sentence() {
    let components = Components::new(1, false).unwrap();
    for (bytes, expected) in [
        (&b""[..], "a.wasm cannot be loaded: it is too short to be WebAssembly"),
        (b"\0asm", "a.wasm is not a valid WebAssembly component: "),
        (b"#!/bin/sh\n", "a.wasm cannot be loaded: it is not WebAssembly"),
        (b"\0asm\x01\0\0\0", "a.wasm cannot be loaded: it is a core module"),
        (b"\0asm\x0d\0\x01\0\xff\xff", "a.wasm is not a valid WebAssembly component: "),
        // A component without anything.
        (b"\0asm\x0d\0\x01\0", "a.wasm does not fit the world plugin-host:plugin: "),
    ] {
        let Err(error) = components.link("a.wasm", bytes) else { panic!("{expected}") };
        assert!(error.starts_with(expected), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}
