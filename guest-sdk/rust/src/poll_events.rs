//! The events that a poll handle watches for and reports.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign};

use crate::imports::types::PollEvents as RawEvents;

/// A set of events of a descriptor, as libuv's `uv_poll_event`, with libuv's values.
///
/// ```
/// use uv_handles::PollEvents;
///
/// let events = PollEvents::READABLE | PollEvents::DISCONNECT;
/// assert!(events.contains(PollEvents::READABLE));
/// assert_eq!(format!("{events:?}"), "READABLE | DISCONNECT");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PollEvents(u8);

impl PollEvents {
    /// No event.
    pub const NONE: Self = Self(0);
    /// Data can be read, a connection accepted, or the end of the input has been reached. 1
    pub const READABLE: Self = Self(1);
    /// Data can be written. 2
    pub const WRITABLE: Self = Self(2);
    /// The peer has shut down its side. 4
    pub const DISCONNECT: Self = Self(4);
    /// Priority data has arrived (TCP urgent data, for example). 8
    pub const PRIORITIZED: Self = Self(8);

    /// Each event with its name.
    const ALL: [(Self, &str); 4] = [
        (Self::READABLE, "READABLE"),
        (Self::WRITABLE, "WRITABLE"),
        (Self::DISCONNECT, "DISCONNECT"),
        (Self::PRIORITIZED, "PRIORITIZED"),
    ];

    /// Whether all of these events are in the set.
    pub const fn contains(self, events: Self) -> bool {
        self.0 & events.0 == events.0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as libuv's bit mask.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The flags of the WIT package have libuv's order.
    pub(crate) fn from_raw(raw: RawEvents) -> Self {
        Self(raw.bits())
    }

    pub(crate) fn to_raw(self) -> RawEvents {
        RawEvents::from_bits_truncate(self.0)
    }
}

impl BitOr for PollEvents {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for PollEvents {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for PollEvents {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// The names: `READABLE | WRITABLE`, or `NONE`.
impl fmt::Debug for PollEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("NONE");
        }
        let mut separator = "";
        for (event, name) in Self::ALL {
            if self.contains(event) {
                write!(f, "{separator}{name}")?;
                separator = " | ";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{PollEvents, RawEvents};

    #[test]
    fn sets_are_joined_and_tested() {
        let both = PollEvents::READABLE | PollEvents::WRITABLE;
        assert!(both.contains(PollEvents::WRITABLE));
        assert!(both.contains(PollEvents::NONE));
        assert!(!PollEvents::READABLE.contains(both));
        assert!((both & PollEvents::DISCONNECT).is_empty());
        assert_eq!(both.bits(), 3);
    }

    #[test]
    fn names_are_shown() {
        let both = PollEvents::WRITABLE | PollEvents::PRIORITIZED;
        assert_eq!(format!("{both:?}"), "WRITABLE | PRIORITIZED");
        assert_eq!(format!("{:?}", PollEvents::NONE), "NONE");
    }

    #[test]
    fn every_set_reaches_the_host_unchanged() {
        for bits in 0..16 {
            let events = PollEvents(bits);
            assert_eq!(PollEvents::from_raw(events.to_raw()), events);
        }
        for (event, raw) in [
            (PollEvents::READABLE, RawEvents::READABLE),
            (PollEvents::WRITABLE, RawEvents::WRITABLE),
            (PollEvents::DISCONNECT, RawEvents::DISCONNECT),
            (PollEvents::PRIORITIZED, RawEvents::PRIORITIZED),
        ] {
            assert_eq!(event.to_raw(), raw);
        }
    }
}
