//! An echo server with async and await: a task for each connection, which is closed when it has been silent
//! for too long.
//!
//! It listens on the socket that the host grants under the name `clients`, and ends on SIGTERM. The
//! argument is the number of milliseconds after which a silent connection is closed (default:
//! 10,000). After the signal, open connections have the same time to end.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;

use futures_util::future::{Either, select};
use uv_handles::task::{AsyncDescriptor, Executor, Signals, sleep, spawn, timeout};
use uv_handles::{Error, Loop, Result, Shutdown, Signum, StatusCode};

fn main() -> Result<()> {
    let patience = std::env::args().nth(1).map_or(10_000, |arg| arg.parse().expect("milliseconds"));
    let event_loop = Loop::new()?;
    let clients = AsyncDescriptor::open(&event_loop, "clients")?;
    let term = Signals::new(&event_loop, Signum::SIGTERM)?;
    Executor::new(&event_loop).block_on(serve(clients, term, patience))?
}

/// Accepts until the signal comes.
async fn serve(clients: AsyncDescriptor, mut term: Signals, patience: u64) -> Result<()> {
    let open = Rc::new(Cell::new(0));
    let accepting = pin!(accept(clients, patience, open.clone()));
    let ending = pin!(term.recv());
    // The first to complete cancels the other.
    if let Either::Left((result, _)) = select(accepting, ending).await {
        return result;
    }
    println!("ending, {} open", open.get());
    let all_ended = async {
        while open.get() > 0 {
            sleep(10).await?;
        }
        Ok(())
    };
    // The end of the program closes connections that are still open.
    timeout(patience, all_ended).await.unwrap_or(Ok(()))
}

/// Accepts until accepting fails.
async fn accept(clients: AsyncDescriptor, patience: u64, open: Rc<Cell<u32>>) -> Result<()> {
    loop {
        match clients.accept().await {
            Ok(client) => spawn(connection(client, patience, open.clone()))?.detach(),
            // The limit of descriptors is reached: a connection has to end first.
            Err(Error::Status(StatusCode::EMFILE | StatusCode::ENOMEM)) => sleep(10).await?,
            // The client was gone before it was accepted.
            Err(Error::Status(StatusCode::ECONNABORTED)) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Serves one connection to its end, and prints a line about it.
async fn connection(client: AsyncDescriptor, patience: u64, open: Rc<Cell<u32>>) {
    let who = client.descriptor().peer_address().unwrap_or_default();
    open.set(open.get() + 1);
    match echo(&client, patience).await {
        Ok(bytes) => println!("{who}: {bytes} bytes"),
        Err(error) => println!("{who}: {error}"),
    }
    open.set(open.get() - 1);
}

/// Echoes until the end of the input. ETIMEDOUT if nothing was received or sent for too long.
async fn echo(client: &AsyncDescriptor, patience: u64) -> Result<u64> {
    let mut buffer = vec![0; 16 * 1024];
    let mut total = 0;
    loop {
        let read = timeout(patience, client.read(&mut buffer)).await??;
        if read == 0 {
            // Fails if the client has disconnected.
            let _ = client.descriptor().shutdown(Shutdown::Write);
            return Ok(total);
        }
        total += read as u64;
        timeout(patience, client.write_all(&buffer[..read])).await??;
    }
}
