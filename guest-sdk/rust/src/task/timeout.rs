//! A limit on the time that a future may take.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use crate::error::{Error, Result};
use crate::milliseconds::Milliseconds;
use crate::status::StatusCode;
use crate::task::sleep::sleep;

/// Waits for a future, but no longer than a time. ETIMEDOUT when the time is over; the future is
/// dropped then.
///
/// The time counts from the clock at the first poll, as with [`sleep`]. A future that is ready at
/// once needs no timer. If the future becomes ready in the same iteration as the timer, its output
/// is returned. ENOMEM when the guest has as many handles as the host allows.
///
/// ```no_run
/// # use uv_handles::task::{AsyncDescriptor, timeout};
/// # use uv_handles::{Error, Result, StatusCode};
/// # async fn read(connection: &AsyncDescriptor) -> Result<()> {
/// let mut buffer = [0; 4096];
/// match timeout(5_000, connection.read(&mut buffer)).await {
///     Ok(read) => println!("{} bytes", read?),
///     Err(Error::Status(StatusCode::ETIMEDOUT)) => println!("nothing for five seconds"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// When it is first polled where no loop is known: see [`current_loop`](crate::task::current_loop).
pub async fn timeout<F: Future>(time: impl Into<Milliseconds>, future: F) -> Result<F::Output> {
    let mut future = pin!(future);
    let mut sleep = sleep(time);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        std::task::ready!(Pin::new(&mut sleep).poll(cx))?;
        Poll::Ready(Err(Error::Status(StatusCode::ETIMEDOUT)))
    })
    .await
}
