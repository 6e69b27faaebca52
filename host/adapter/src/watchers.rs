//! `uv:handles/idle`, `uv:handles/prepare` and `uv:handles/check`: three interfaces of one shape.

use crate::bindings::exports::uv::handles::event_loop::LoopBorrow;
use crate::bindings::exports::uv::handles::types::Error;
use crate::bindings::exports::uv::handles::{check, idle, prepare};
use crate::{Adapter, Owned, event_loop, with};

macro_rules! watcher {
    ($interface:ident, $guest:ident, $kind:ident, $make:ident) => {
        impl $interface::Guest for Adapter {
            type $kind = Owned;
        }

        impl $interface::$guest for Owned {
            fn create(owner: LoopBorrow<'_>, token: u64) -> Result<$interface::$kind, Error> {
                let handle = with(|loops| loops.$make(event_loop::id(&owner), token))?;
                Ok($interface::$kind::new(Owned(handle)))
            }

            fn start(&self) -> Result<(), Error> {
                Ok(with(|loops| loops.watcher_start(self.0))?)
            }

            fn stop(&self) {
                with(|loops| loops.watcher_stop(self.0));
            }
        }
    };
}

watcher!(idle, GuestIdle, Idle, make_idle);
watcher!(prepare, GuestPrepare, Prepare, make_prepare);
watcher!(check, GuestCheck, Check, make_check);
