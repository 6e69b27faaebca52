//! Times as libuv has them: whole milliseconds.

use std::time::Duration;

/// A number of milliseconds. Functions that take a time take `impl Into<Milliseconds>`, so that a
/// plain number of milliseconds works as well as a [`Duration`].
///
/// A `Duration` is rounded up to whole milliseconds, so that a timer is never early. One that is
/// too long becomes the longest time there is.
///
/// ```
/// use std::time::Duration;
/// use uv_handles::Milliseconds;
///
/// assert_eq!(Milliseconds::from(Duration::from_secs(2)), Milliseconds::from(2000));
/// assert_eq!(Milliseconds::from(Duration::from_micros(1500)).get(), 2);
/// assert_eq!(Milliseconds::from(Duration::MAX).get(), u64::MAX);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milliseconds(u64);

impl Milliseconds {
    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for Milliseconds {
    fn from(milliseconds: u64) -> Self {
        Self(milliseconds)
    }
}

impl From<Duration> for Milliseconds {
    fn from(duration: Duration) -> Self {
        let milliseconds = duration.as_nanos().div_ceil(1_000_000);
        Self(u64::try_from(milliseconds).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::Milliseconds;
    use std::time::Duration;

    #[test]
    fn durations_round_up_and_saturate() {
        for (duration, expected) in [
            (Duration::ZERO, 0),
            (Duration::from_nanos(1), 1),
            (Duration::from_millis(1), 1),
            (Duration::new(0, 1_000_001), 2),
            (Duration::from_millis(u64::MAX), u64::MAX),
            (Duration::from_millis(u64::MAX) + Duration::from_nanos(1), u64::MAX),
        ] {
            assert_eq!(Milliseconds::from(duration).get(), expected, "{duration:?}");
        }
    }
}
