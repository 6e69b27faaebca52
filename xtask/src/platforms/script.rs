//! Programs for cargo to run, as shell scripts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes an executable file, unless it has this text already. The name must not depend on the text:
/// cargo compiles every crate again when the name of its linker changes.
pub fn write(file: &Path, text: &str) -> Result<()> {
    if fs::read(file).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(());
    }
    // A program that another run executes at this moment cannot be written to.
    let new = file.with_extension("new");
    fs::write(&new, text)
        .and_then(|()| fs::set_permissions(&new, fs::Permissions::from_mode(0o755)))
        .and_then(|()| fs::rename(&new, file))
        .with_context(|| format!("cannot write {}", file.display()))
}
