//! HTTP requests, by `wasi:http` (features `async` and `wasi`).
//!
//! The host speaks HTTP and TLS, and grants hosts: `uv-run --http`, for example. All functions make
//! their handles on the loop of the running task, and panic where no task is running.
//!
//! ```no_run
//! use uv_handles::task::http::{self, Request};
//! use uv_handles::task::timeout;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut response = timeout(5_000, http::get("https://example.org/")).await??;
//! println!("{} {}", response.status(), response.text(1 << 20).await?);
//!
//! let request = Request::new("PUT", "http://localhost:8080/a").header("x-token", "b").body("text");
//! request.send().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Dropping the future of a request, as [`timeout`](super::timeout) does, cancels the request: the
//! host closes the connection. So does dropping a [`Response`] before the end of its body.
//! Redirects are not followed: they are responses with a status of 3xx.

mod error;
mod request;
mod response;

pub use error::{HttpError, Problem};
pub use request::{Request, get};
pub use response::{Body, Response};
pub use wasip2::http::types::ErrorCode;
