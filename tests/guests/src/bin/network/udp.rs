//! Datagrams of WASI, to itself and to the peers of the arguments.

use std::net::SocketAddr;
use uv_handles::task::net::UdpSocket;
use uv_handles::task::{Executor, timeout};
use uv_handles::{Error, Loop, Result, RunMode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    Executor::new(&event_loop).block_on(async move {
        let [one, two] = [
            UdpSocket::bind("127.0.0.1:0".parse().unwrap()).await?,
            UdpSocket::bind("127.0.0.1:0".parse().unwrap()).await?,
        ];
        assert!(timeout(1, one.recv_from()).await.is_err());
        two.send_to(b"hello", one.local_address()?).await?;
        let (bytes, sender) = one.recv_from().await?;
        assert_eq!((&bytes[..], sender), (&b"hello"[..], two.local_address()?));
        for peer in uv_handles_test_guests::args() {
            let peer: SocketAddr = peer.parse().expect("an address");
            match one.send_to(b"ping", peer).await {
                Ok(()) => {
                    let (bytes, sender) = one.recv_from().await?;
                    assert_eq!(sender, peer);
                    println!("{}", String::from_utf8_lossy(&bytes));
                }
                Err(error) => println!("{}", error.code().unwrap().name()),
            }
        }
        Ok::<_, Error>(())
    })??;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
