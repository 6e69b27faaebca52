//! A thread without signals.

use crate::os::unix::signal_mask;

/// Blocks signals on the calling thread, because their handlers write to descriptors. A separate
/// descriptor table, which would speed up the system calls of the others, is Linux's alone.
pub(crate) fn unshare_descriptors() {
    signal_mask::block_all_except(None);
}
