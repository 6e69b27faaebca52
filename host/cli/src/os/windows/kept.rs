//! The directory of compiled code, which this system does not have: nothing here can tell whether
//! another user could have written a file. wasmtime's own cache is used instead.

use std::io;
use std::path::Path;
use wasmtime::Engine;
use wasmtime::component::Component;

/// The place of a component's compiled code: there is none.
pub enum Kept {}

impl Kept {
    /// None.
    pub fn of(_: &Engine, _: &Path) -> Option<Kept> {
        None
    }

    /// Is never called.
    pub fn take(&self, _: &Engine) -> Option<Component> {
        match *self {}
    }

    /// Is never called.
    pub fn keep(&self, _: &[u8]) -> io::Result<()> {
        match *self {}
    }
}
