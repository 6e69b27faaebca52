//! A handle of any kind that has no callback works like one whose callback does nothing.

use uv_handles::{AnyHandle, Descriptor, Handle, Loop, Result, RunMode};
use uv_handles_test_guests::kinds;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let socket = Descriptor::open("socket")?;
    let all = kinds::one_of_each(&event_loop, &socket)?;
    for _ in 0..3 {
        all.iter().try_for_each(kinds::start)?;
        assert!(event_loop.run(RunMode::Once)?);
        for handle in &all {
            let over = matches!(handle, AnyHandle::Timer(_));
            assert_eq!(handle.is_active(), !over, "{handle:?}");
        }
    }
    all.iter().for_each(Handle::close);
    assert!(!event_loop.run(RunMode::Default)?);
    assert!(all.iter().all(Handle::is_closed));
    event_loop.close()
}
