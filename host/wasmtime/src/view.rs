//! The view of a guest's context in the data of its store.

use crate::ctx::UvCtx;

/// Finds the [`UvCtx`] in the data of a store.
pub trait UvView: Send {
    /// A view of this guest's context.
    fn uv(&mut self) -> UvCtxView<'_>;
}

/// What the host functions work on.
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
