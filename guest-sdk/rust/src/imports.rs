//! The functions of the host that the SDK calls: the seam between the SDK and what runs its loops.
//!
//! In a guest they are the component's imports. With the feature `native`, outside of WebAssembly,
//! they are implemented on the loop's core in virtual time. The other files name these modules and
//! do not know the difference.

#[cfg(not(all(feature = "native", not(target_family = "wasm"))))]
pub(crate) use self::of_a_component::*;
#[cfg(all(feature = "native", not(target_family = "wasm")))]
pub(crate) use crate::native::imports::*;

#[cfg(not(all(feature = "native", not(target_family = "wasm"))))]
mod of_a_component {
    #[cfg(feature = "concurrent")]
    pub(crate) use crate::bindings::in_instance::concurrent;
    #[cfg(feature = "wasi")]
    pub(crate) use crate::bindings::on_wasi::pollables;
    pub(crate) use crate::bindings::uv::handles::*;

    /// Called before every use of the host. A program that was built for the machine by mistake
    /// has no host.
    #[inline(always)]
    pub(crate) fn check_host() {
        #[cfg(not(target_family = "wasm"))]
        panic!(
            "uv-handles runs in a WebAssembly guest: build with `cargo build --target wasm32-wasip2`, or \
             enable the feature `native` for tests on the machine itself"
        );
    }

    /// Called between two waits of a run, where no call of the host is in progress.
    #[inline(always)]
    pub(crate) fn between_waits() {}
}
