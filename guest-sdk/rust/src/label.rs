//! Labels of handles: names that a guest's author gives them, for messages.
//!
//! Few handles have one, so labels are in a map and cost the others nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::rc::Rc;

use crate::handle::Common;

/// The longest label, in bytes.
const LONGEST: usize = 64;

thread_local! {
    /// By the addresses of the handles, which do not move. An entry goes with its handle.
    static LABELS: RefCell<ManuallyDrop<BTreeMap<usize, Rc<str>>>> =
        const { RefCell::new(ManuallyDrop::new(BTreeMap::new())) };
}

fn key(handle: &Common) -> usize {
    std::ptr::from_ref(handle).addr()
}

/// Sets the label, without the part that is too long. An empty one removes it.
pub(crate) fn set(handle: &Common, label: &str) {
    let label = &label[..label.floor_char_boundary(LONGEST)];
    LABELS.with_borrow_mut(|labels| match label.is_empty() {
        true => labels.remove(&key(handle)),
        false => labels.insert(key(handle), label.into()),
    });
}

pub(crate) fn get(handle: &Common) -> Option<Rc<str>> {
    LABELS.with_borrow(|labels| labels.get(&key(handle)).cloned())
}

/// Removes the label of a handle that is dropped.
pub(crate) fn remove(handle: &Common) {
    if LABELS.with_borrow(|labels| !labels.is_empty()) {
        LABELS.with_borrow_mut(|labels| labels.remove(&key(handle)));
    }
}
