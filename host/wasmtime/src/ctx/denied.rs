//! Reports of denied requests to the embedder.

use std::fmt;

/// A request of a guest for something that was not granted. The guest received an error value.
///
/// `Debug` shows no more of a name than its beginning.
#[derive(Clone, Copy, PartialEq, Eq)]
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

/// The number of characters of a name that `Debug` shows.
const SHOWN: usize = 64;

impl fmt::Debug for Denied<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Denied::Descriptor(name) => ("Descriptor", name),
            Denied::Signal(signum) => return f.debug_tuple("Signal").field(signum).finish(),
            Denied::AsyncHandle(name) => ("AsyncHandle", name),
            Denied::AsyncSender(name) => ("AsyncSender", name),
        };
        match name.char_indices().nth(SHOWN) {
            Some((end, _)) => write!(f, "{kind}({:?}...)", &name[..end]),
            None => write!(f, "{kind}({name:?})"),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_where_it_is_shown() {
        let long = "ä\u{1}".repeat(1 << 20);
        for denied in [Denied::Descriptor(&long), Denied::AsyncHandle(&long), Denied::AsyncSender(&long)] {
            let shown = format!("{denied:?}");
            assert!(shown.len() < 16 * SHOWN && shown.ends_with("\"...)"), "{} bytes", shown.len());
        }
        assert_eq!(format!("{:?}", Denied::AsyncSender("a\n")), "AsyncSender(\"a\\n\")");
        assert_eq!(format!("{:?}", Denied::Signal(1)), "Signal(1)");
    }
}
