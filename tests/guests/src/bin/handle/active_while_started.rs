//! A handle of any kind is active while it is started, and closing from `close` on, whether it was
//! started or not. What was stopped or closed before the run is not called.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{AnyHandle, Descriptor, Handle, Loop, Result, RunMode};
use uv_handles_test_guests::kinds;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let socket = Descriptor::open("socket")?;
    let all = kinds::one_of_each(&event_loop, &socket)?;
    let closed = Rc::new(Cell::new(0));
    for handle in &all {
        kinds::set_callback(handle, || panic!("it is closed before the run"));
        let is_async = matches!(handle, AnyHandle::Async(_));
        assert_eq!((handle.is_active(), handle.is_closing()), (is_async, false), "{handle:?}");
        for _ in 0..2 {
            kinds::start(handle)?;
            assert_eq!((handle.is_active(), handle.is_closing()), (true, false), "{handle:?}");
            kinds::stop(handle);
            assert_eq!((handle.is_active(), handle.is_closing()), (is_async, false), "{handle:?}");
        }
        kinds::start(handle)?;
        assert!(handle.is_active());
        handle.close_with({
            let closed = closed.clone();
            move |_| closed.set(closed.get() + 1)
        });
        assert_eq!((handle.is_active(), handle.is_closing()), (false, true), "{handle:?}");
    }
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(closed.get(), 7);
    event_loop.close()
}
