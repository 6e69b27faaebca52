//! A listening socket and a connection of WASI, and a peer of the test.

use std::net::SocketAddr;
use uv_handles::task::net::{TcpListener, TcpStream};
use uv_handles::task::{Executor, spawn, timeout};
use uv_handles::{Error, Loop, Result, RunMode, Shutdown};

/// Sends a text and reads to the end.
async fn talk(address: SocketAddr, text: &[u8]) -> Result<String> {
    let peer = TcpStream::connect(address).await?;
    peer.write_all(text).await?;
    peer.shutdown(Shutdown::Write)?;
    let mut all = Vec::new();
    loop {
        match peer.read_vec(4096).await? {
            read if read.is_empty() => return Ok(String::from_utf8_lossy(&all).into_owned()),
            read => all.extend(read),
        }
    }
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let peers: Vec<SocketAddr> =
        uv_handles_test_guests::args().map(|arg| arg.parse().expect("an address")).collect();
    Executor::new(&event_loop).block_on(async move {
        // With itself.
        let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).await?;
        let address = listener.local_address()?;
        let server = spawn(async move {
            let client = listener.accept().await?;
            let mut length = 0;
            loop {
                match client.read_vec(1 << 16).await? {
                    read if read.is_empty() => break,
                    read => length += read.len(),
                }
            }
            client.write_all(format!("{length} bytes").as_bytes()).await?;
            Ok::<_, Error>(())
        })?;
        println!("{}", talk(address, &vec![7; 3_000_000]).await?);
        server.await??;
        // The listening socket is closed.
        println!("{}", TcpStream::connect(address).await.expect_err("it is closed").code().unwrap().name());
        for peer in peers {
            match timeout(300, talk(peer, b"hello")).await {
                Ok(Ok(text)) => println!("{text}"),
                Ok(Err(error)) | Err(error) => println!("{}", error.code().unwrap().name()),
            }
        }
        Ok::<_, Error>(())
    })??;
    event_loop.run(RunMode::Default)?;
    assert!(event_loop.handles().is_empty());
    event_loop.close()
}
