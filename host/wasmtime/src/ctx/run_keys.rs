//! Keys of runs, which cannot be guessed: a component that has not got the key of a run cannot drive
//! it, although it shares the guest's context.

use std::hash::{BuildHasher, RandomState};

/// Makes keys: a keyed hash of a counter, with random keys of the standard library.
#[derive(Debug, Default)]
pub(crate) struct RunKeys {
    hasher: Option<Box<RandomState>>,
    made: u64,
}

impl RunKeys {
    /// A key that has not been made before, except by chance.
    pub(crate) fn next(&mut self) -> u64 {
        self.made += 1;
        self.hasher.get_or_insert_default().hash_one(self.made)
    }
}

#[cfg(test)]
mod tests {
    use super::RunKeys;

    #[test]
    fn keys_differ_also_between_contexts() {
        let (mut one, mut other) = (RunKeys::default(), RunKeys::default());
        let keys = [one.next(), one.next(), other.next(), other.next()];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[at + 1..].contains(key));
        }
    }
}
