//! Labels of handles: names that a guest's author gives them, for messages.
//!
//! Few handles have one, so labels are in a map and cost the others nothing. The first label makes
//! the map, so that a guest without labels does not contain the code of maps.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::rc::Rc;

use crate::handle::Common;

/// The longest label or name in a message, in bytes.
const LONGEST: usize = 64;

/// The end of a label or name that was cut.
const CUT: &str = "…";

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

/// Returns a text for a message: without control characters, so that the message stays one line. `…`
/// stands for the part that is too long.
// Neither slices the text nor shows it with `Debug`. Both would put tables of Unicode's characters
// into each guest, and each instance has a copy of the page that they share with its data.
pub(crate) fn one_line(text: &str) -> String {
    let is_cut = text.len() > LONGEST;
    let end = if is_cut { LONGEST - CUT.len() } else { text.len() };
    let kept = text.get(..text.floor_char_boundary(end)).unwrap_or_default();
    let mut line: String = kept.chars().filter(|char| !char.is_control()).collect();
    if is_cut {
        line.push_str(CUT);
    }
    line
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
