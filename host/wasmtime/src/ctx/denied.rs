//! Telling the embedder what a guest asked for in vain.

use std::fmt;

/// Something that a guest asked for and that was not granted. The guest got an error value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denied<'a> {
    /// A descriptor of this name. Guests choose the name: it may be long, or anything at all.
    Descriptor(&'a str),
    /// A signal, by Linux's number.
    Signal(i32),
    /// An async handle of this name.
    WakeUp(&'a str),
    /// A connection of this name to another guest.
    Connection(&'a str),
}

type Listener = dyn Fn(Denied<'_>) + Send;

/// Whoever wants to know.
#[derive(Default)]
pub(crate) struct OnDenied(Option<Box<Listener>>);

impl OnDenied {
    pub(crate) fn new(listener: impl Fn(Denied<'_>) + Send + 'static) -> OnDenied {
        OnDenied(Some(Box::new(listener)))
    }

    pub(crate) fn tell(&self, denied: Denied<'_>) {
        tracing::debug!(?denied, "the guest asked for something that was not granted");
        if let Some(listener) = &self.0 {
            listener(denied);
        }
    }
}

impl fmt::Debug for OnDenied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnDenied").field(&self.0.is_some()).finish()
    }
}
