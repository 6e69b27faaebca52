//! Unguessable keys of runs.
//!
//! A component without the key of a run cannot drive it, although it shares the guest's context.

use std::hash::{BuildHasher, RandomState};

/// Makes keys: hashes of a counter, keyed with the standard library's random keys.
#[derive(Debug, Default)]
pub(crate) struct RunKeys {
    hasher: Option<Box<RandomState>>,
    made: u64,
}

impl RunKeys {
    /// Returns a new key. It differs from earlier ones with overwhelming probability.
    pub(crate) fn next(&mut self) -> u64 {
        self.made += 1;
        self.hasher.get_or_insert_default().hash_one(self.made)
    }
}

#[cfg(test)]
mod tests {
    use super::RunKeys;

    #[test]
    fn keys_differ_within_and_between_contexts() {
        let (mut one, mut other) = (RunKeys::default(), RunKeys::default());
        let keys = [one.next(), one.next(), other.next(), other.next()];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[at + 1..].contains(key));
        }
    }
}
