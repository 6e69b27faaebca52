//! A loop with nothing but an unreferenced handle is not alive: a run returns at once and calls
//! nothing. Closing the handle calls back once, in the next run. For every kind, started and not.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{AnyHandle, Descriptor, Handle, Loop, Result, RunMode};
use uv_handles_test_guests::kinds;

pub fn main() -> Result<()> {
    let socket = Descriptor::open("socket")?;
    for kind in 0..7 {
        for started in [false, true] {
            let event_loop = Loop::new()?;
            // The others are closed before it begins.
            let all = kinds::one_of_each(&event_loop, &socket)?;
            let handle: &AnyHandle = &all[kind];
            all.iter().filter(|other| *other != handle).for_each(Handle::close);
            event_loop.run(RunMode::NoWait)?;
            assert_eq!(event_loop.handles(), std::slice::from_ref(handle));

            kinds::set_callback(handle, || panic!("nothing is alive"));
            if started {
                kinds::start(handle)?;
            }
            handle.dereference()?;
            let is_async = matches!(handle, AnyHandle::Async(_));
            assert_eq!(handle.is_active(), started || is_async, "{handle:?}");
            assert!(!event_loop.is_alive());
            for mode in [RunMode::Default, RunMode::Once, RunMode::NoWait] {
                assert!(!event_loop.run(mode)?, "{handle:?}");
            }

            let closed = Rc::new(Cell::new(0));
            handle.close_with({
                let closed = closed.clone();
                move |_| closed.set(closed.get() + 1)
            });
            assert_eq!(closed.get(), 0, "never inside `close`");
            assert!(!event_loop.run(RunMode::Default)?);
            assert_eq!(closed.get(), 1, "{handle:?}");
            event_loop.close()?;
        }
    }
    Ok(())
}
