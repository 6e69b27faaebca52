//! Unix sockets, which the standard library does not have for this system.

use crate::os::native::{Descriptor, not_available};
use std::io;
use std::path::Path;
use wasmtime::Result;

/// A listening Unix socket: there is none.
#[derive(Debug)]
pub enum Listener {}

impl From<Listener> for Descriptor {
    fn from(listener: Listener) -> Descriptor {
        match listener {}
    }
}

/// The files of a run's sockets: there are none.
#[derive(Debug, Clone, Copy, Default)]
pub struct SocketFiles;

impl SocketFiles {
    /// Fails.
    pub fn listen(&self, _: &Path) -> Result<Listener> {
        Err(not_available())
    }

    /// Fails.
    pub fn listen_private(&self, _: &Path) -> Result<Listener> {
        Err(not_available())
    }

    /// Has nothing to remove.
    pub fn remove(&self) {}
}

/// Fails.
pub fn connector(_: &Path) -> Result<fn() -> io::Result<Descriptor>> {
    Err(not_available())
}
