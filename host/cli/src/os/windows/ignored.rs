//! Signals that the process was started to ignore.

/// Whether the process ignores a signal. Windows does not tell which console control events a process
/// has inherited as ignored.
pub fn at_start(_signum: i32) -> bool {
    false
}
