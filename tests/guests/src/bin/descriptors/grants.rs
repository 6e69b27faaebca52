//! A descriptor by name: only what was granted, once at a time, and again after it was dropped.

use uv_handles::{Descriptor, Result, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    for name in ["other", "", "/etc/passwd", "One", "one "] {
        assert_refused(Descriptor::open(name), StatusCode::ENOENT);
    }
    let one = Descriptor::open("one")?;
    assert_refused(Descriptor::open("one"), StatusCode::EBUSY);
    let two = Descriptor::open("two")?;
    assert_ne!(one.fileno(), two.fileno());
    assert!(one.fileno() > 2 && two.fileno() > 2, "those are the standard streams' numbers");
    println!("opened");

    // Both ends of one connection.
    assert_eq!(one.write(b"hello"), Ok(5));
    assert_eq!(two.read_vec(100)?, b"hello");
    let again = one.clone();
    drop(one);
    assert_refused(Descriptor::open("one"), StatusCode::EBUSY);
    assert_eq!(two.read_vec(100), Err(StatusCode::EAGAIN.into()), "a clone keeps it open");
    let number = again.fileno();
    drop(again);

    // The grant keeps the connection open; what is opened anew goes on with it.
    assert_eq!(two.read_vec(100), Err(StatusCode::EAGAIN.into()));
    assert_eq!(two.write(b"kept"), Ok(4));
    let one = Descriptor::open("one")?;
    assert_eq!(one.fileno(), number, "a number may be used again");
    assert_eq!(one.read_vec(100)?, b"kept");
    Ok(())
}
