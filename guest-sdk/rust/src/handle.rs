//! The members that all seven kinds of handles share: libuv's base class `uv_handle_t`.
//!
//! A handle value is a reference-counted pointer to an [`Inner`]: the host's resource, the
//! callbacks, and the [`Common`] part. The trait [`Handle`] is written once, in terms of the trait
//! `Sealed`. The macro `handle_kind!` implements `Sealed` for a kind, and everything else that is
//! the same for all.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use crate::Timer;
use crate::any_handle::AnyHandle;
use crate::batch::{self, Synced};
use crate::callback::Callback;
use crate::error::{Error, Result};
use crate::event_loop::Loop;
use crate::imports::handle as raw;
use crate::imports::types::Token;
use crate::label;
use crate::registry::{self, Registered};
use crate::status::StatusCode;

/// The stage in the life of a handle. It is kept here because asking the host would cost a call.
/// Only [`Handle::close`] and the close callback change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    Closing,
    Closed,
    /// Open, with a pollable that has to be dropped as soon as the handle is closed.
    OpenOnPollable,
}

/// The slot in which a handle is registered, until its close callback begins, and its stage. Both
/// are in one number, because a program may have many handles: the stage in the upper bits.
#[derive(Clone, Copy)]
struct Place(u32);

impl Place {
    /// Enough for all slots: each takes more than 4 bytes of a memory of 4 GiB.
    const SLOT_BITS: u32 = 30;

    fn new(slot: u32, stage: Stage) -> Self {
        debug_assert!(slot >> Self::SLOT_BITS == 0);
        Self((stage as u32) << Self::SLOT_BITS | slot)
    }

    fn slot(self) -> u32 {
        self.0 % (1 << Self::SLOT_BITS)
    }

    fn stage(self) -> Stage {
        match self.0 >> Self::SLOT_BITS {
            0 => Stage::Open,
            1 => Stage::Closing,
            2 => Stage::Closed,
            _ => Stage::OpenOnPollable,
        }
    }
}

/// The part that does not depend on the kind.
pub struct Common {
    place: Cell<Place>,
    event_loop: Loop,
}

impl Common {
    fn new(event_loop: &Loop, token: Token) -> Self {
        Self {
            place: Cell::new(Place::new(registry::slot_of(token), Stage::Open)),
            event_loop: event_loop.clone(),
        }
    }

    /// The token of the handle until its close callback begins. Afterwards the slot may belong to
    /// another handle.
    pub(crate) fn token(&self) -> Token {
        registry::token_of(self.place.get().slot())
    }

    fn stage(&self) -> Stage {
        self.place.get().stage()
    }

    fn set_stage(&self, stage: Stage) {
        self.place.set(Place::new(self.place.get().slot(), stage));
    }

    /// The number that messages show for a handle without a label.
    pub(crate) fn number(&self) -> u32 {
        self.place.get().slot()
    }

    pub(crate) fn event_loop(&self) -> &Loop {
        &self.event_loop
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.stage(), Stage::Open | Stage::OpenOnPollable)
    }

    /// Makes closing the handle a call at once, also inside its own callback: the guest may drop the
    /// stream that the pollable comes from right after it, which this crate does not see.
    #[cfg(feature = "wasi")]
    pub(crate) fn set_on_pollable(&self) {
        self.set_stage(Stage::OpenOnPollable);
    }

    fn is_closed(&self) -> bool {
        self.stage() == Stage::Closed
    }
}

impl fmt::Debug for Common {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {:?}", self.number(), self.stage())?;
        match label::get(self) {
            Some(label) => write!(f, ", \"{label}\""),
            None => Ok(()),
        }
    }
}

/// The holder of a handle's resource.
pub(crate) trait Held {
    /// Whether the resource belongs to a pool and is reused.
    fn is_pooled(&self) -> bool {
        false
    }

    /// Gives the resource back if it belongs to a pool. Called when the last value of the handle is
    /// dropped.
    fn give_back(&mut self, _: &Loop) {}
}

impl<R> Held for Synced<R> {}

/// The types of a kind of handle.
pub(crate) trait Kind: Sized + 'static {
    /// The holder of the host's resource.
    type Held: Held;

    /// The callback.
    type Callback: ?Sized;
}

/// The part that the values of one handle share.
///
/// The resource is the first field, because fields are dropped in order: the host sees the handle
/// go before its loop.
pub(crate) struct Inner<K: Kind> {
    pub(crate) raw: K::Held,
    callback: Callback<K::Callback>,
    on_closed: Cell<Option<OnClosed<K>>>,
    pub(crate) common: Common,
}

pub(crate) type OnClosed<K> = Box<dyn FnOnce(&K)>;

impl<K: Kind> Inner<K> {
    pub(crate) fn new(raw: K::Held, event_loop: &Loop, token: Token) -> Rc<Self> {
        let (callback, on_closed) = (Callback::new(), Cell::new(None));
        Rc::new(Self { raw, callback, on_closed, common: Common::new(event_loop, token) })
    }

    /// Does nothing on a closed handle: a closure usually holds its own handle, and the two would
    /// keep each other alive.
    pub(crate) fn set_callback(&self, callback: Box<K::Callback>) {
        if !self.common.is_closed() {
            self.callback.set(callback);
        }
    }

    /// Does nothing on a closed handle, which would never drop the closure.
    pub(crate) fn set_on_closed(&self, on_closed: OnClosed<K>) {
        if !self.common.is_closed() {
            self.on_closed.set(Some(on_closed));
        }
    }

    pub(crate) fn call_back(&self, invoke: impl FnOnce(&mut K::Callback)) {
        self.callback.call(invoke, || !self.common.is_closed());
    }

    /// Calls the close callback with this value of the handle, and drops all callbacks.
    pub(crate) fn close_callback(&self, handle: &K) {
        if let Some(on_closed) = self.on_closed.take() {
            on_closed(handle);
        }
        // Inside its close callback a handle is closing, not closed.
        self.common.set_stage(Stage::Closed);
        // The close callback may have set another one.
        drop(self.on_closed.take());
        self.callback.clear();
    }
}

impl<K: Kind> Drop for Inner<K> {
    fn drop(&mut self) {
        label::remove(&self.common);
        self.raw.give_back(&self.common.event_loop);
    }
}

pub(crate) mod sealed {
    use super::{Common, OnClosed, Rc, Registered, Timer, raw};

    /// The members that differ between kinds. It keeps other crates from implementing `Handle`.
    pub trait Sealed: Sized {
        /// The part that does not depend on the kind.
        fn common(&self) -> &Common;

        /// The handle as the functions of the interface `handle` take it.
        fn raw(&self) -> raw::AnyHandle<'_>;

        /// A registered handle as a value, if it is of this kind.
        fn of_kind(handle: Rc<dyn Registered>) -> Option<Self>;

        /// Sets the close callback.
        fn put_on_closed(&self, on_closed: OnClosed<Self>);

        /// The handle if it is a timer.
        fn as_timer(&self) -> Option<&Timer>;
    }
}

/// The members that all kinds of handles have, as libuv's `uv_handle_t`.
///
/// The seven kinds and [`AnyHandle`] implement it. Other crates cannot.
pub trait Handle: sealed::Sealed + Clone + fmt::Debug + PartialEq + Into<AnyHandle> + 'static {
    /// The loop that the handle was made on.
    fn event_loop(&self) -> Loop {
        self.common().event_loop.clone()
    }

    /// Whether the handle is closed: true as soon as its close callback has returned.
    fn is_closed(&self) -> bool {
        self.common().is_closed()
    }

    /// Whether the handle is closing or closed, as `uv_is_closing`: true from
    /// [`close`](Self::close) on. Most calls are refused with
    /// [`HandleClosed`](crate::Error::HandleClosed) then.
    fn is_closing(&self) -> bool {
        !self.common().is_open()
    }

    /// Whether the handle is started and not stopped, as `uv_is_active`. An [`Async`](crate::Async)
    /// is active from its making until it is closed.
    fn is_active(&self) -> bool {
        raw::active(&self.raw())
    }

    /// Whether the handle keeps its loop alive while it is active, as `uv_has_ref`. True for a new
    /// handle, false for a closed one. It has nothing to do with counting Rust values.
    fn is_referenced(&self) -> bool {
        raw::referenced(&self.raw())
    }

    /// Makes the handle keep its loop alive while it is active, as `uv_ref`. Idempotent.
    /// `HandleClosed` on a closing handle.
    fn reference(&self) -> Result<()> {
        Ok(raw::reference(&self.raw())?)
    }

    /// Lets the loop end although the handle is active, as `uv_unref`. Idempotent. `HandleClosed`
    /// on a closing handle.
    fn dereference(&self) -> Result<()> {
        Ok(raw::dereference(&self.raw())?)
    }

    /// Closes the handle, as `uv_close`, with the close callback that
    /// [`set_on_closed`](Self::set_on_closed) has set, if any.
    ///
    /// The handle is inactive at once; the close callback comes in a later phase of the loop, never
    /// inside this call. After it the callbacks of the handle are dropped with all that they
    /// captured. Closing a closing or closed handle does nothing.
    fn close(&self) {
        let common = self.common();
        if common.is_open() {
            let may_defer = common.stage() == Stage::Open;
            common.set_stage(Stage::Closing);
            let is_deferred = self.as_timer().is_some_and(Timer::defer_close);
            let is_deferred = is_deferred || may_defer && batch::defer_close_own(common.token());
            if !is_deferred {
                raw::close(&self.raw());
            }
        }
    }

    /// Closes the handle with this close callback, in place of one that was set before.
    ///
    /// On a closing or closed handle nothing happens: the close callback is **not** replaced.
    fn close_with(&self, on_closed: impl FnOnce(&Self) + 'static) {
        if !self.is_closing() {
            self.set_on_closed(on_closed);
            self.close();
        }
    }

    /// Sets the close callback, which is called once. It replaces one that was set before, as long
    /// as that has not been called. On a closed handle nothing happens.
    fn set_on_closed(&self, on_closed: impl FnOnce(&Self) + 'static) {
        self.put_on_closed(Box::new(on_closed));
    }

    /// Names the handle for messages: its `Debug` output, the error of [`Loop::close`], and that of a
    /// callback that fails.
    ///
    /// Labels need not be unique. A label longer than 64 bytes is cut, and then ends with `…`. Control
    /// characters are left out, and an empty label removes it.
    fn set_label(&self, label: impl AsRef<str>) {
        label::set(self.common(), label.as_ref());
    }

    /// The label, if the handle has one.
    fn label(&self) -> Option<Rc<str>> {
        label::get(self.common())
    }

    /// The number of the descriptor that the handle works on, in the guest's own numbering, as
    /// `uv_fileno`. EINVAL on all kinds but [`Poll`](crate::Poll), `HandleClosed` on a closing
    /// handle.
    fn fileno(&self) -> Result<u32> {
        Ok(raw::fileno(&self.raw())?)
    }

    /// The size of the send buffer, as `uv_send_buffer_size`. No kind of handle here has one, so
    /// EINVAL; `HandleClosed` on a closing handle. Sockets have it:
    /// [`Descriptor::send_buffer_size`](crate::Descriptor::send_buffer_size).
    fn send_buffer_size(&self) -> Result<u32> {
        no_buffer(self)
    }

    /// Sets the size of the send buffer, with the errors of
    /// [`send_buffer_size`](Self::send_buffer_size).
    fn set_send_buffer_size(&self, _size: u32) -> Result<()> {
        no_buffer(self)
    }

    /// The size of the receive buffer, as `uv_recv_buffer_size`, with the errors of
    /// [`send_buffer_size`](Self::send_buffer_size).
    fn receive_buffer_size(&self) -> Result<u32> {
        no_buffer(self)
    }

    /// Sets the size of the receive buffer, with the errors of
    /// [`send_buffer_size`](Self::send_buffer_size).
    fn set_receive_buffer_size(&self, _size: u32) -> Result<()> {
        no_buffer(self)
    }
}

/// The answer of all members about buffers: no kind of handle has one.
fn no_buffer<T>(handle: &impl Handle) -> Result<T> {
    Err(if handle.is_closing() { Error::HandleClosed } else { StatusCode::EINVAL.into() })
}

/// Defines a kind of handle: `Name(holder of its resource), variant of any-handle,
/// callback(arguments)`, the kind of event that the callback is for, and how the arguments after
/// the first are made of that event.
macro_rules! handle_kind {
    (
        $(#[$attribute:meta])*
        $kind:ident($held:ty), $variant:ident,
        callback($name:ident: $type:ty $(, $more:ident: $argument:ty)?)
        of $event:pat $(=> $value:expr)?
    ) => {
        $(#[$attribute])*
        #[derive(Clone)]
        pub struct $kind(pub(crate) std::rc::Rc<$crate::handle::Inner<$kind>>);

        impl $crate::handle::Kind for $kind {
            type Held = $held;
            type Callback = dyn FnMut($type $(, $argument)?);
        }

        impl $kind {
            /// Makes the host's resource with `create` and registers the handle for its events.
            fn make<Raw: Into<$held>>(
                event_loop: &$crate::Loop,
                create: impl Fn(
                    &$crate::imports::event_loop::Loop,
                    $crate::imports::types::Token,
                ) -> $crate::Result<Raw, $crate::imports::types::Error>,
            ) -> $crate::Result<Self> {
                $crate::registry::register(|token| {
                    let create = || Ok(create(event_loop.raw(), token)?);
                    let raw = $crate::timer_pool::freeing_if_full(create)?;
                    Ok(Self($crate::handle::Inner::new(raw.into(), event_loop, token)))
                })
            }

            /// Sets the callback, in place of the one before.
            ///
            /// It may be called at any time, also inside the callback: the one that runs is dropped
            /// when it returns, and the new one is called from the next time on. On a closed handle
            /// nothing happens.
            pub fn set_callback(&self, callback: impl FnMut($type $(, $argument)?) + 'static) {
                self.0.set_callback(Box::new(callback));
            }

            /// Sets a callback that can fail, as [`set_callback`](Self::set_callback).
            ///
            /// An error that it returns is passed to the function that
            /// [`Loop::set_on_error`](crate::Loop::set_on_error) has set. Without one, it ends the
            /// guest. The handle stays as it is: a repeating timer, for instance, is called again.
            pub fn try_set_callback(
                &self,
                mut callback: impl FnMut($type $(, $argument)?) -> $crate::CallbackResult + 'static,
            ) {
                self.set_callback(move |$name $(, $more)?| {
                    if let Err(error) = callback($name $(, $more)?) {
                        $crate::callback_error::report(stringify!($kind), $name, error);
                    }
                });
            }
        }

        impl $crate::handle::sealed::Sealed for $kind {
            fn common(&self) -> &$crate::handle::Common {
                &self.0.common
            }

            fn raw(&self) -> $crate::imports::handle::AnyHandle<'_> {
                $crate::imports::handle::AnyHandle::$variant(&self.0.raw)
            }

            fn of_kind(handle: std::rc::Rc<dyn $crate::registry::Registered>) -> Option<Self> {
                let handle: std::rc::Rc<dyn std::any::Any> = handle;
                handle.downcast().ok().map(Self)
            }

            fn put_on_closed(&self, on_closed: $crate::handle::OnClosed<Self>) {
                self.0.set_on_closed(on_closed);
            }

            fn as_timer(&self) -> Option<&$crate::Timer> {
                (self as &dyn std::any::Any).downcast_ref()
            }
        }

        impl $crate::registry::Registered for $crate::handle::Inner<$kind> {
            fn call(self: std::rc::Rc<Self>, kind: $crate::imports::types::EventKind) {
                use $crate::imports::types::EventKind;
                // This value keeps the handle alive for as long as its callback runs.
                let handle = $kind(self);
                if let $event = kind {
                    handle.0.call_back(|f| f(&handle $(, $value)?));
                }
            }

            fn common(&self) -> &$crate::handle::Common {
                &self.common
            }

            fn kind(&self) -> &'static str {
                stringify!($kind)
            }

            fn finish_closing(self: std::rc::Rc<Self>) {
                let handle = $kind(self);
                handle.0.close_callback(&handle);
                // Dropping the handle is no call if its resource is pooled.
                if !$crate::handle::Held::is_pooled(&handle.0.raw) {
                    $crate::batch::drop_closed(handle.0);
                }
            }
        }

        impl From<$kind> for std::rc::Rc<dyn $crate::registry::Registered> {
            fn from(handle: $kind) -> Self {
                handle.0
            }
        }

        impl $crate::Handle for $kind {}

        impl From<$kind> for $crate::AnyHandle {
            fn from(handle: $kind) -> Self {
                Self::$kind(handle)
            }
        }

        /// Clones of one handle are equal, and nothing else is.
        impl PartialEq for $kind {
            fn eq(&self, other: &Self) -> bool {
                std::rc::Rc::ptr_eq(&self.0, &other.0)
            }
        }

        impl Eq for $kind {}

        impl std::fmt::Debug for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($kind), "({:?})"), self.0.common)
            }
        }
    };
}

pub(crate) use handle_kind;
