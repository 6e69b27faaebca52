//! Labels of handles: names that a guest's author gives them, for messages.
//!
//! Few handles have one, so labels are in a map and cost the others nothing. The first label makes
//! the map, so that a guest without labels does not contain the code of maps.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::rc::Rc;

use crate::handle::Common;
use crate::message::one_line;

thread_local! {
    static LABELS: RefCell<ManuallyDrop<Option<Box<dyn Labels>>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

/// Labels by the addresses of their handles, which do not move. An entry goes with its handle.
trait Labels {
    fn get(&self, key: usize) -> Option<Rc<str>>;
    fn set(&mut self, key: usize, label: Rc<str>);
    fn remove(&mut self, key: usize);
}

impl Labels for BTreeMap<usize, Rc<str>> {
    fn get(&self, key: usize) -> Option<Rc<str>> {
        BTreeMap::get(self, &key).cloned()
    }

    fn set(&mut self, key: usize, label: Rc<str>) {
        self.insert(key, label);
    }

    fn remove(&mut self, key: usize) {
        BTreeMap::remove(self, &key);
    }
}

fn key(handle: &Common) -> usize {
    std::ptr::from_ref(handle).addr()
}

/// Sets the label, as [`one_line`]. An empty one removes it.
pub(crate) fn set(handle: &Common, label: &str) {
    let label = one_line(label);
    LABELS.with_borrow_mut(|labels| {
        let labels = labels.get_or_insert_with(|| Box::new(BTreeMap::new()));
        match label.is_empty() {
            true => labels.remove(key(handle)),
            false => labels.set(key(handle), label.into()),
        }
    });
}

pub(crate) fn get(handle: &Common) -> Option<Rc<str>> {
    LABELS.with_borrow(|labels| labels.as_ref()?.get(key(handle)))
}

/// Removes the label of a handle that is dropped.
pub(crate) fn remove(handle: &Common) {
    LABELS.with_borrow_mut(|labels| {
        if let Some(labels) = &mut **labels {
            labels.remove(key(handle));
        }
    });
}
