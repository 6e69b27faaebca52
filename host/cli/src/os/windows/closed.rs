//! Standard streams that the process was started without.

use std::io;
use std::os::windows::io::AsRawHandle;

/// Whether the process was started without the standard stream that Unix numbers so.
pub fn at_start(number: i32) -> bool {
    let handle = match number {
        0 => io::stdin().as_raw_handle(),
        1 => io::stdout().as_raw_handle(),
        _ => io::stderr().as_raw_handle(),
    };
    handle.is_null()
}
