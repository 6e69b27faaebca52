//! The format of a component's file.

/// Checks that the bytes begin as a component does. The error says in a few words what wasmtime would
/// say in several lines.
pub fn check(bytes: &[u8]) -> Result<(), &'static str> {
    let text = bytes.trim_ascii_start();
    if text.starts_with(b"(component") || text.starts_with(b"(module") {
        return Err("it is WebAssembly's text format; `wasm-tools parse` makes a binary of it");
    }
    match bytes {
        _ if bytes.len() < 4 => Err("it is too short to be WebAssembly"),
        // The header's last two bytes tell a component (1) from a core module (0).
        [b'\0', b'a', b's', b'm', _, _, 0, 0, ..] => {
            Err("it is a core module, not a component: build it for wasm32-wasip2")
        }
        [b'\0', b'a', b's', b'm', ..] => Ok(()),
        _ => Err("it is not WebAssembly"),
    }
}
