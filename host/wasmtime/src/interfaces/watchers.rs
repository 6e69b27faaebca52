//! `uv:handles/idle`, `uv:handles/prepare` and `uv:handles/check`, which have the same functions.

use super::{handle_id, handle_resource, loop_id};
use crate::bindings::event_loop::Loop;
use crate::bindings::types::Error;
use crate::bindings::{check, idle, prepare};
use crate::view::UvCtxView;
use wasmtime::component::Resource;

macro_rules! watcher {
    ($interface:ident, $host:ident, $kind:ident, $make:ident) => {
        impl $interface::Host for UvCtxView<'_> {}

        impl $interface::$host for UvCtxView<'_> {
            fn create(
                &mut self,
                owner: Resource<Loop>,
                token: u64,
            ) -> Result<Resource<$interface::$kind>, Error> {
                Ok(handle_resource(self.ctx.loops.$make(loop_id(&owner), token)?))
            }

            fn start(&mut self, watcher: Resource<$interface::$kind>) -> Result<(), Error> {
                self.ctx.loops.watcher_start(handle_id(&watcher))?;
                self.ctx.recheck_loop_of(handle_id(&watcher));
                Ok(())
            }

            fn stop(&mut self, watcher: Resource<$interface::$kind>) {
                self.ctx.loops.watcher_stop(handle_id(&watcher));
                self.ctx.recheck_loop_of(handle_id(&watcher));
            }

            fn drop(&mut self, watcher: Resource<$interface::$kind>) -> wasmtime::Result<()> {
                self.ctx.release(handle_id(&watcher));
                Ok(())
            }
        }
    };
}

watcher!(idle, HostIdle, Idle, make_idle);
watcher!(prepare, HostPrepare, Prepare, make_prepare);
watcher!(check, HostCheck, Check, make_check);
