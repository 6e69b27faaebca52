//! The numbers of signals: guests see Linux's, which are the host's own here.

/// Returns the guests' number of a signal of the host.
#[inline]
pub(crate) fn guest_number(host: i32) -> Option<i32> {
    Some(host)
}

/// Returns the host's number of a signal of the guests.
#[inline]
pub(crate) fn host_number(guest: i32) -> Option<i32> {
    Some(guest)
}
