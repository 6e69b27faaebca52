//! The host allows three descriptors. What is refused at the limit is not lost: the connection goes
//! on waiting, the grant stays free.

use uv_handles::{Descriptor, Result, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let listener = Descriptor::open("clients")?;
    let first = listener.accept()?;
    let second = listener.accept()?;
    assert_refused(listener.accept(), StatusCode::EMFILE);
    assert_refused(Descriptor::open("other"), StatusCode::EMFILE);
    assert_refused(Descriptor::open("unknown"), StatusCode::ENOENT);
    assert_refused(Descriptor::open("clients"), StatusCode::EBUSY);

    drop(first);
    let third = listener.accept()?;
    assert_refused(listener.accept(), StatusCode::EMFILE);
    drop(second);
    assert_refused(listener.accept(), StatusCode::EAGAIN);
    let other = Descriptor::open("other")?;
    assert_refused(listener.accept(), StatusCode::EMFILE);
    drop((third, other));
    Ok(())
}
