//! The network of WASI: TCP, UDP and names (features `async` and `wasi`).
//!
//! The host grants addresses: `uv-run --tcp-connect`, for example. An address that is not granted is
//! EACCES. All functions make their handles on the loop of the running task, and panic where no task
//! is running.
//!
//! ```no_run
//! # use uv_handles::task::net::{self, TcpStream};
//! # use uv_handles::task::timeout;
//! # use uv_handles::{Result, StatusCode};
//! # async fn example() -> Result<()> {
//! let address = *net::lookup("example.org").await?.first().ok_or(StatusCode::EAI_NONAME)?;
//! let peer = timeout(5_000, TcpStream::connect((address, 7).into())).await??;
//! peer.write_all(b"hello").await?;
//! let answer = peer.read_vec(4096).await?;
//! # Ok(())
//! # }
//! ```

mod address;
mod lookup;
mod tcp;
mod udp;

pub use lookup::lookup;
pub use tcp::{TcpListener, TcpStream};
pub use udp::UdpSocket;
