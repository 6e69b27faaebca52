//! Reports of denied requests to the embedder.

use std::fmt;

/// A request of a guest for something that was not granted. The guest received an error value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denied<'a> {
    /// A descriptor of this name. The guest chooses the name: its length and content are arbitrary.
    Descriptor(&'a str),
    /// A signal, by Linux's number.
    Signal(i32),
    /// An async handle of this name.
    AsyncHandle(&'a str),
    /// An async sender (a connection to another guest) of this name.
    AsyncSender(&'a str),
}

type Listener = dyn Fn(Denied<'_>) + Send;

/// The embedder's listener, if any.
#[derive(Default)]
pub(crate) struct OnDenied(Option<Box<Listener>>);

impl OnDenied {
    pub(crate) fn new(listener: impl Fn(Denied<'_>) + Send + 'static) -> OnDenied {
        OnDenied(Some(Box::new(listener)))
    }

    pub(crate) fn report(&self, denied: Denied<'_>) {
        tracing::debug!(?denied, "denied a request for something that was not granted");
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
