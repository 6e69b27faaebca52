//! The view of a guest's context in its store's data.

use crate::ctx::UvCtx;

/// Gives access to the [`UvCtx`] in the data of a store.
pub trait UvView: Send {
    /// Returns a view of the guest's context.
    fn uv(&mut self) -> UvCtxView<'_>;
}

/// The type on which the host functions are implemented.
#[derive(Debug)]
pub struct UvCtxView<'a> {
    /// The guest's context.
    pub ctx: &'a mut UvCtx,
}

impl<T: ?Sized + UvView> UvView for &mut T {
    fn uv(&mut self) -> UvCtxView<'_> {
        T::uv(self)
    }
}

impl<T: ?Sized + UvView> UvView for Box<T> {
    fn uv(&mut self) -> UvCtxView<'_> {
        T::uv(self)
    }
}
