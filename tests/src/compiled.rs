//! A cache of values that a test process makes once and its tests share.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock};

/// Values by key, each made once. Tests that need a value at the same time wait for the one that
/// makes it; other values are made meanwhile.
pub(crate) struct Once<K, V>(Mutex<Option<HashMap<K, Arc<OnceLock<V>>>>>);

impl<K: Eq + Hash, V: Clone> Once<K, V> {
    pub(crate) const fn new() -> Once<K, V> {
        Once(Mutex::new(None))
    }

    /// The value of a key. `make` makes it unless it is there.
    pub(crate) fn get(&self, key: K, make: impl FnOnce() -> V) -> V {
        let place = self.0.lock().unwrap().get_or_insert_default().entry(key).or_default().clone();
        // Outside of the mutex, which only guards the map.
        place.get_or_init(make).clone()
    }
}
