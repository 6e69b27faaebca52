//! Times and sizes, as options and configuration files have them.

use std::str::FromStr;
use std::time::Duration;

/// A time in seconds, with decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub Duration);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Seconds, String> {
        let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        match seconds {
            Some(duration) => Ok(Seconds(duration)),
            None => Err(format!("{text:?} is no number of seconds, such as 2 or 0.5")),
        }
    }
}

/// A size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let (digits, shift) = match text.char_indices().last() {
            Some((at, 'k' | 'K')) => (&text[..at], 10),
            Some((at, 'm' | 'M')) => (&text[..at], 20),
            Some((at, 'g' | 'G')) => (&text[..at], 30),
            _ => (text, 0),
        };
        let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
        bytes.map(Size).ok_or_else(|| format!("{text:?} is no size in bytes, such as 65536, 64K, 16M or 1G"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_have_units() {
        assert_eq!("0.25".parse(), Ok(Seconds(Duration::from_millis(250))));
        assert_eq!("0".parse(), Ok(Seconds(Duration::ZERO)));
        for text in ["", "-1", "inf", "nan", "1s", "1e300"] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
        for (text, bytes) in [("0", 0), ("12", 12), ("1k", 1 << 10), ("3M", 3 << 20), ("2G", 2 << 30)] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "K", "-1", "1.5M", "1T", "1MB", "99999999999999999999", "99999999999G"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
