//! Prints the addresses of a listening socket, of a connection that it accepts, and of a Unix socket
//! with a path.

use uv_handles::{Descriptor, Result, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let listener = Descriptor::open("listener")?;
    println!("{}", listener.local_address()?);
    assert_refused(listener.peer_address(), StatusCode::ENOTCONN);
    let client = listener.accept()?;
    println!("{}", client.local_address()?);
    println!("{}", client.peer_address()?);

    let unix = Descriptor::open("unix")?;
    println!("{}", unix.local_address()?);
    let client = unix.accept()?;
    println!("{}", client.local_address()?);
    assert_eq!(client.peer_address()?, "", "a client has no path");

    let pipe = Descriptor::open("pipe")?;
    assert_refused(pipe.local_address(), StatusCode::ENOTSOCK);
    assert_refused(pipe.peer_address(), StatusCode::ENOTSOCK);
    Ok(())
}
