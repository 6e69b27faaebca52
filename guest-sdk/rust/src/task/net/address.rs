//! Conversions of the addresses and errors of WASI's sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use wasip2::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};

use crate::error::Error;
use crate::status::StatusCode;

pub(super) fn family(address: SocketAddr) -> IpAddressFamily {
    match address {
        SocketAddr::V4(_) => IpAddressFamily::Ipv4,
        SocketAddr::V6(_) => IpAddressFamily::Ipv6,
    }
}

pub(super) fn to_wasi(address: SocketAddr) -> IpSocketAddress {
    match address {
        SocketAddr::V4(address) => {
            let [a, b, c, d] = address.ip().octets();
            IpSocketAddress::Ipv4(Ipv4SocketAddress { port: address.port(), address: (a, b, c, d) })
        }
        SocketAddr::V6(address) => {
            let [a, b, c, d, e, f, g, h] = address.ip().segments();
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: address.port(),
                flow_info: address.flowinfo(),
                address: (a, b, c, d, e, f, g, h),
                scope_id: address.scope_id(),
            })
        }
    }
}

pub(super) fn from_wasi(address: IpSocketAddress) -> SocketAddr {
    match address {
        IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (a, b, c, d) }) => {
            SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), port).into()
        }
        IpSocketAddress::Ipv6(Ipv6SocketAddress { port, flow_info, address, scope_id }) => {
            let (a, b, c, d, e, f, g, h) = address;
            SocketAddrV6::new(Ipv6Addr::new(a, b, c, d, e, f, g, h), port, flow_info, scope_id).into()
        }
    }
}

pub(super) fn ip_from_wasi(address: IpAddress) -> IpAddr {
    match address {
        IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).into(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => Ipv6Addr::new(a, b, c, d, e, f, g, h).into(),
    }
}

pub(super) fn error(code: ErrorCode) -> Error {
    Error::Status(match code {
        ErrorCode::AccessDenied => StatusCode::EACCES,
        ErrorCode::NotSupported => StatusCode::ENOTSUP,
        ErrorCode::InvalidArgument | ErrorCode::InvalidState | ErrorCode::NotInProgress => StatusCode::EINVAL,
        ErrorCode::OutOfMemory => StatusCode::ENOMEM,
        ErrorCode::Timeout => StatusCode::ETIMEDOUT,
        ErrorCode::ConcurrencyConflict => StatusCode::EALREADY,
        ErrorCode::WouldBlock => StatusCode::EAGAIN,
        ErrorCode::NewSocketLimit => StatusCode::EMFILE,
        ErrorCode::AddressNotBindable => StatusCode::EADDRNOTAVAIL,
        ErrorCode::AddressInUse => StatusCode::EADDRINUSE,
        ErrorCode::RemoteUnreachable => StatusCode::EHOSTUNREACH,
        ErrorCode::ConnectionRefused => StatusCode::ECONNREFUSED,
        ErrorCode::ConnectionReset => StatusCode::ECONNRESET,
        ErrorCode::ConnectionAborted => StatusCode::ECONNABORTED,
        ErrorCode::DatagramTooLarge => StatusCode::EMSGSIZE,
        ErrorCode::NameUnresolvable => StatusCode::EAI_NONAME,
        ErrorCode::TemporaryResolverFailure => StatusCode::EAI_AGAIN,
        ErrorCode::PermanentResolverFailure => StatusCode::EAI_FAIL,
        ErrorCode::Unknown => StatusCode::UNKNOWN,
    })
}
