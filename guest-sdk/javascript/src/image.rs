//! The image of the memory that instances begin with.

use crate::{engine, modules};

/// Makes the engine, loads the runtime's own modules, and keeps these files for the script.
pub fn prepare(files: Vec<(String, Vec<u8>)>) {
    modules::keep(files);
    engine::prepare();
}

/// Eight bytes of the memory, from an address below [`size`].
pub fn peek(address: u32) -> u64 {
    let address = std::ptr::with_exposed_provenance::<u64>(address as usize);
    // SAFETY: the bytes are those of this memory. They are read as they are, because they may
    // belong to values that the compiler knows.
    unsafe { address.read_volatile() }
}

/// The size of the memory in bytes.
pub fn size() -> u32 {
    u32::try_from(core::arch::wasm32::memory_size(0) * 65536).unwrap_or(u32::MAX)
}
