//! Keeping the runtimes of scripts compiled, so that a script starts at once.
//!
//! wasmtime's cache keeps compiled code compressed, and finds it by a hash of the component. For
//! most guests that takes a millisecond. Python's runtime is a hundred times larger, and the same takes
//! longer than most scripts run. So a runtime's code is kept as a plain file that is mapped into memory,
//! and the key is the place, the size and the time of the runtime's file.

use crate::component;
use crate::os::kept::Kept;
use std::path::Path;
use wasmtime::component::Component;
use wasmtime::{Engine, Result};

/// Reads and compiles a component, or takes the code that an earlier run has compiled. With
/// `cache`, compiled code is kept.
pub fn load(engine: &Engine, file: &Path, cache: bool) -> Result<Component> {
    let kept = cache.then(|| Kept::of(engine, file)).flatten();
    if let Some(component) = kept.as_ref().and_then(|kept| kept.take(engine)) {
        return Ok(component);
    }
    let component = component::load(engine, file)?;
    if let Some(kept) = kept
        && let Err(error) = component.serialize().and_then(|code| Ok(kept.keep(&code)?))
    {
        tracing::debug!("compiled code is not kept: {error:#}");
    }
    Ok(component)
}
