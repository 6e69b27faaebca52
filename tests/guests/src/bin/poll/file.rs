//! A file that the OS cannot poll is refused when the handle is made, and leaves nothing behind. It can
//! still be read.

use uv_handles::{Descriptor, Loop, Poll, Result, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    for name in ["file", "null"] {
        let descriptor = Descriptor::open(name)?;
        assert_refused(Poll::new(&event_loop, &descriptor), StatusCode::EPERM);
        assert_refused(Poll::new(&event_loop, &descriptor), StatusCode::EPERM);
        println!("{name}: {}", String::from_utf8(descriptor.read_vec(100)?).unwrap());
    }
    let directory = Descriptor::open("directory")?;
    assert_refused(Poll::new(&event_loop, &directory), StatusCode::EPERM);
    assert!(event_loop.handles().is_empty());
    event_loop.close()
}
