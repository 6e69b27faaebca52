//! The names of directories for guests.

use std::path::Path;

/// The guest's name for a directory, which is the host's. None if it is no UTF-8.
pub fn guest_path(host: &Path) -> Option<String> {
    host.to_str().map(str::to_owned)
}
