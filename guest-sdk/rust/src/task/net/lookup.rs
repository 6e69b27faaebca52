//! Name lookup.

use std::net::IpAddr;

use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::ErrorCode;

use crate::error::Result;
use crate::task::executor::current_loop;
use crate::task::net::address::{error, ip_from_wasi};
use crate::task::pollable::AsyncPollable;

/// Returns the addresses of a host, in the order in which to try them. The text of an address is that
/// address.
///
/// EAI_NONAME if there is no such name, EAI_AGAIN and EAI_FAIL if the resolver fails, EAI_FAIL too if
/// the host does not grant names (`uv-run --name-lookup`), EINVAL for a text that is no name.
pub async fn lookup(name: &str) -> Result<Vec<IpAddr>> {
    let network = instance_network();
    let stream = resolve_addresses(&network, name).map_err(error)?;
    let mut addresses = Vec::new();
    let waits = AsyncPollable::new(&current_loop(), stream.subscribe())?;
    loop {
        match stream.resolve_next_address() {
            Ok(Some(address)) => addresses.push(ip_from_wasi(address)),
            Ok(None) => return Ok(addresses),
            Err(ErrorCode::WouldBlock) => waits.ready().await?,
            Err(code) => return Err(error(code)),
        }
    }
}
