//! Grants of WASI's network: HTTP requests by host, sockets by address range and port, names.
//!
//! wasmtime-wasi and wasmtime-wasi-http ask here for each address and each request.

use super::text::quoted;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::sync::Arc;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi_http::p2::bindings::http::types::{DnsErrorPayload, ErrorCode};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_hooks};

/// The hosts that an outgoing HTTP request may go to: `HOST`, with the scheme's own port; `HOST:PORT`;
/// `HOST:*` for all ports; or `*` for all hosts and ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpHost {
    /// None for all.
    host: Option<String>,
    port: HttpPort,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HttpPort {
    /// 80 or 443.
    OfScheme,
    One(u16),
    All,
}

impl FromStr for HttpHost {
    type Err = String;

    fn from_str(text: &str) -> Result<HttpHost, String> {
        if text == "*" {
            return Ok(HttpHost { host: None, port: HttpPort::All });
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let host = rest.split('/').next().unwrap_or_default();
            return Err(format!("{text:?} is a URL of {scheme}: name its host alone, {host:?}"));
        }
        let wrong = || {
            format!(
                "{text:?} is no HOST[:PORT], such as example.org, localhost:8080 or localhost:*; \
                 all hosts are *"
            )
        };
        let (named, has_all_ports) = match text.strip_suffix(":*") {
            Some(host) => (host, true),
            None => (text, false),
        };
        let authority: http::uri::Authority = named.parse().map_err(|_| wrong())?;
        let is_host = |host: &str| !host.is_empty() && !host.contains(['@', '*']);
        let has_port = authority.host().len() < named.len();
        let port = match authority.port_u16() {
            None if has_port => return Err(wrong()),
            None if has_all_ports => HttpPort::All,
            None => HttpPort::OfScheme,
            Some(0) => return Err(wrong()),
            Some(_) if has_all_ports => return Err(wrong()),
            Some(port) => HttpPort::One(port),
        };
        match is_host(named) {
            true => Ok(HttpHost { host: Some(authority.host().to_ascii_lowercase()), port }),
            false => Err(wrong()),
        }
    }
}

impl HttpHost {
    fn allows(&self, host: &str, port: u16, default: u16) -> bool {
        let Some(own) = &self.host else {
            return true;
        };
        let has_port = match self.port {
            HttpPort::OfScheme => port == default,
            HttpPort::One(own) => own == port,
            HttpPort::All => true,
        };
        has_port && own.eq_ignore_ascii_case(host)
    }
}

/// Addresses and ports of sockets: `ADDRESS[/BITS]:PORT` or `HOST:PORT`, with `*` for all addresses or
/// all ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    hosts: Hosts,
    /// None for all.
    port: Option<u16>,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// The addresses that have these leading bits.
    Net(IpAddr, u8),
    Name(String),
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Range, String> {
        let wrong = || {
            format!(
                "{text:?} is no ADDRESS[/BITS]:PORT, such as 10.0.0.0/8:80, [::1]:80 or *:*, and no HOST:PORT"
            )
        };
        let (hosts, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = match port {
            "*" => None,
            port => Some(port.parse().map_err(|_| wrong())?),
        };
        let (address, bits) = match hosts.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (hosts, None),
        };
        let in_brackets = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let number = match in_brackets {
            Some(address) => Some(IpAddr::V6(address.parse().map_err(|_| wrong())?)),
            None => address.parse().ok().map(IpAddr::V4),
        };
        let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
        let hosts = match (number, bits) {
            (Some(address), bits) => {
                let most = if address.is_ipv4() { 32 } else { 128 };
                match bits.unwrap_or(most) {
                    bits if bits <= most => Hosts::Net(address, bits),
                    _ => return Err(wrong()),
                }
            }
            (None, None) if address == "*" => Hosts::All,
            (None, None) if !address.is_empty() && is_name(address) => Hosts::Name(address.into()),
            (None, _) => return Err(wrong()),
        };
        Ok(Range { hosts, port, text: text.into() })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Range {
    /// Replaces a name by its addresses.
    fn resolved(&self) -> io::Result<Vec<Range>> {
        let Hosts::Name(name) = &self.hosts else {
            return Ok(vec![self.clone()]);
        };
        let addresses = (name.as_str(), 0).to_socket_addrs()?;
        let range = |address: SocketAddr| {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            Range { hosts: Hosts::Net(address.ip().to_canonical(), bits), ..self.clone() }
        };
        Ok(addresses.map(range).collect())
    }

    fn has_address(&self, address: IpAddr) -> bool {
        match (&self.hosts, address.to_canonical()) {
            (Hosts::All, _) => true,
            (Hosts::Net(IpAddr::V4(net), bits), IpAddr::V4(address)) => {
                let differing = u32::from(*net) ^ u32::from(address);
                differing.checked_shr(32 - u32::from(*bits)).unwrap_or(0) == 0
            }
            (Hosts::Net(IpAddr::V6(net), bits), IpAddr::V6(address)) => {
                let differing = u128::from(*net) ^ u128::from(address);
                differing.checked_shr(128 - u32::from(*bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }

    fn has(&self, address: SocketAddr) -> bool {
        self.has_address(address.ip()) && self.port.is_none_or(|port| port == address.port())
    }

    /// As `has`, for a socket that is bound: port 0 stands for the one that the OS has chosen.
    fn has_bound(&self, address: SocketAddr) -> bool {
        self.has(address) || (self.port == Some(0) && self.has_address(address.ip()))
    }
}

/// A request for something that was not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// HTTP requests to this host and port.
    Http(String),
    TcpConnect(SocketAddr),
    TcpListen(SocketAddr),
    UdpSend(SocketAddr),
    UdpBind(SocketAddr),
    /// Looking this name up.
    Lookup(String),
}

impl Denied {
    /// The option or key that would grant it, and its value.
    pub fn grant(&self) -> (&'static str, Option<String>) {
        match self {
            Denied::Http(host) => ("http", Some(host.clone())),
            Denied::TcpConnect(to) => ("tcp-connect", Some(to.to_string())),
            Denied::TcpListen(on) => ("tcp-listen", Some(on.to_string())),
            Denied::UdpSend(to) => ("udp-send", Some(to.to_string())),
            Denied::UdpBind(on) => ("udp-bind", Some(on.to_string())),
            Denied::Lookup(_) => ("name-lookup", None),
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denied::Http(host) => write!(f, "HTTP requests to {}", quoted(host)),
            Denied::TcpConnect(to) => write!(f, "a TCP connection to {to}"),
            Denied::TcpListen(on) => write!(f, "a TCP socket that listens on {on}"),
            Denied::UdpSend(to) => write!(f, "datagrams to {to}"),
            Denied::UdpBind(on) => write!(f, "a UDP socket on {on}"),
            Denied::Lookup(name) => write!(f, "the addresses of {}", quoted(name)),
        }
    }
}

/// Reports denied requests.
pub type OnDenied = Arc<dyn Fn(Denied) + Send + Sync>;

/// The sockets that a guest may use.
#[derive(Debug, Clone, Default)]
pub struct Sockets {
    pub tcp_connect: Vec<Range>,
    pub tcp_listen: Vec<Range>,
    pub udp_send: Vec<Range>,
    pub udp_bind: Vec<Range>,
}

impl Sockets {
    /// Replaces names by their addresses. The error names the range.
    pub fn resolved(&self) -> Result<Sockets, String> {
        let all = |option: &str, ranges: &[Range]| {
            let each = ranges.iter().map(|range| {
                range.resolved().map_err(|error| format!("{option} {range} cannot be resolved: {error}"))
            });
            Ok::<_, String>(each.collect::<Result<Vec<_>, String>>()?.concat())
        };
        Ok(Sockets {
            tcp_connect: all("tcp-connect", &self.tcp_connect)?,
            tcp_listen: all("tcp-listen", &self.tcp_listen)?,
            udp_send: all("udp-send", &self.udp_send)?,
            udp_bind: all("udp-bind", &self.udp_bind)?,
        })
    }

    /// Grants them to a context. Names must have been resolved.
    pub fn grant(self, wasi: &mut WasiCtxBuilder, on_denied: OnDenied) {
        // Without a grant, an address is denied, and so reported.
        wasi.allow_tcp(true).allow_udp(true);
        wasi.socket_addr_check(move |address, what| {
            let denied = self.check(address, what);
            let is_allowed = denied.is_none();
            if let Some(denied) = denied {
                on_denied(denied);
            }
            Box::pin(async move { is_allowed })
        });
    }

    fn check(&self, address: SocketAddr, what: SocketAddrUse) -> Option<Denied> {
        let any = |ranges: &[Range]| ranges.iter().any(|range| range.has(address));
        // A socket that connects or sends is bound to some address of the OS's choice before. By
        // itself that gives nothing: connecting, listening, sending and receiving are checked.
        let is_implicit = address.ip().is_unspecified() && address.port() == 0;
        let (is_allowed, denied) = match what {
            SocketAddrUse::TcpBind => (any(&self.tcp_listen) || is_implicit, Denied::TcpListen(address)),
            SocketAddrUse::TcpListen => {
                (self.tcp_listen.iter().any(|range| range.has_bound(address)), Denied::TcpListen(address))
            }
            SocketAddrUse::TcpAccept => (!self.tcp_listen.is_empty(), Denied::TcpListen(address)),
            SocketAddrUse::TcpConnect => (any(&self.tcp_connect), Denied::TcpConnect(address)),
            SocketAddrUse::UdpBind => (any(&self.udp_bind) || is_implicit, Denied::UdpBind(address)),
            SocketAddrUse::UdpSend => (any(&self.udp_send), Denied::UdpSend(address)),
            // A grant to send is one to receive answers too, and a bound socket receives from all.
            SocketAddrUse::UdpReceive => {
                (!self.udp_bind.is_empty() || any(&self.udp_send), Denied::UdpBind(address))
            }
        };
        (!is_allowed).then_some(denied)
    }
}

/// Sends the HTTP requests that are granted.
pub struct Http {
    pub hosts: Vec<HttpHost>,
    pub on_denied: OnDenied,
}

type Sent = wasmtime_wasi_http::Result<(
    http::Response<WasiBody>,
    Box<dyn Future<Output = wasmtime_wasi_http::Result<()>> + Send>,
)>;

impl WasiHttpHooks for Http {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        body: Box<dyn Future<Output = wasmtime_wasi_http::Result<()>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let uri = request.uri();
        let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(default));
        if self.hosts.iter().any(|granted| granted.allows(host, port, default)) {
            return default_hooks().send_request(request, options, body);
        }
        (self.on_denied)(Denied::Http(format!("{host}:{port}")));
        Box::new(async { Err(Error::HttpRequestDenied) })
    }

    fn p2_error_from_connect(&mut self, error: &io::Error) -> ErrorCode {
        match error.kind() {
            ErrorKind::ConnectionRefused => ErrorCode::ConnectionRefused,
            ErrorKind::TimedOut => ErrorCode::ConnectionTimeout,
            ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => ErrorCode::DestinationIpUnroutable,
            // The resolver's errors have no number of the OS.
            _ if error.raw_os_error().is_none() => {
                ErrorCode::DnsError(DnsErrorPayload { rcode: Some(error.to_string()), info_code: None })
            }
            _ => ErrorCode::InternalError(Some(error.to_string())),
        }
    }

    fn p2_error_from_hyper(&mut self, error: &hyper::Error) -> ErrorCode {
        use std::error::Error;
        let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
        match error {
            error if error.is_timeout() => ErrorCode::HttpResponseTimeout,
            error if error.is_incomplete_message() => ErrorCode::HttpResponseIncomplete,
            _ if cause.is_some() => ErrorCode::ConnectionTerminated,
            _ => ErrorCode::HttpProtocolError,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Range {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_have_addresses_and_ports() {
        for (text, inside, outside) in [
            ("127.0.0.1:80", "127.0.0.1:80", "127.0.0.2:80"),
            ("127.0.0.1:80", "[::ffff:127.0.0.1]:80", "127.0.0.1:81"),
            ("10.0.0.0/8:*", "10.255.0.1:9", "11.0.0.1:9"),
            ("0.0.0.0/0:53", "1.2.3.4:53", "[::1]:53"),
            ("[fd00::]/8:443", "[fdff::1]:443", "[fe00::1]:443"),
            ("[::]/0:1", "[::1]:1", "127.0.0.1:1"),
            ("*:53", "[::1]:53", "127.0.0.1:54"),
        ] {
            assert!(range(text).has(inside.parse().unwrap()), "{text} {inside}");
            assert!(!range(text).has(outside.parse().unwrap()), "{text} {outside}");
        }
        assert!(range("*:*").has("1.2.3.4:5".parse().unwrap()));
        assert!(range("127.0.0.1:0").has_bound("127.0.0.1:5".parse().unwrap()));
        for text in
            ["", ":80", "10.0.0.0/33:80", "[::1]/129:1", "[x]:1", "a b:1", "host", "host/8:1", "host:70000"]
        {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_address_that_is_denied_is_the_one_that_was_asked_for() {
        let nothing = Sockets::default();
        let peer = "127.0.0.1:7777".parse().unwrap();
        let some = "0.0.0.0:0".parse().unwrap();
        for (address, what, denied) in [
            (some, SocketAddrUse::TcpBind, None),
            (peer, SocketAddrUse::TcpConnect, Some(Denied::TcpConnect(peer))),
            (some, SocketAddrUse::TcpListen, Some(Denied::TcpListen(some))),
            (peer, SocketAddrUse::TcpBind, Some(Denied::TcpListen(peer))),
            (some, SocketAddrUse::UdpBind, None),
            (peer, SocketAddrUse::UdpSend, Some(Denied::UdpSend(peer))),
            (peer, SocketAddrUse::UdpReceive, Some(Denied::UdpBind(peer))),
        ] {
            assert_eq!(nothing.check(address, what), denied);
        }
    }

    #[test]
    fn names_become_addresses() {
        let sockets = Sockets { tcp_connect: vec![range("localhost:80")], ..Sockets::default() };
        let sockets = sockets.resolved().unwrap();
        assert!(sockets.check("127.0.0.1:80".parse().unwrap(), SocketAddrUse::TcpConnect).is_none());
        let sockets = Sockets { udp_send: vec![range("name.invalid:80")], ..Sockets::default() };
        let error = sockets.resolved().unwrap_err();
        assert!(error.starts_with("udp-send name.invalid:80 cannot be resolved"), "{error}");
    }

    #[test]
    fn each_use_of_an_address_needs_its_grant() {
        use SocketAddrUse::*;
        let none = Sockets::default();
        let address: SocketAddr = "127.0.0.1:80".parse().unwrap();
        let implicit: SocketAddr = "0.0.0.0:0".parse().unwrap();
        for what in [TcpBind, TcpListen, TcpAccept, TcpConnect, UdpBind, UdpSend, UdpReceive] {
            let is_bind = matches!(what, TcpBind | UdpBind);
            assert!(none.check(address, what).is_some(), "{what:?}");
            assert_eq!(none.check(implicit, what).is_none(), is_bind, "{what:?}");
        }
        let connects = Sockets { tcp_connect: vec![range("127.0.0.1:80")], ..Sockets::default() };
        assert!(connects.check(implicit, TcpBind).is_none());
        assert!(connects.check(address, TcpConnect).is_none());
        assert_eq!(connects.check(address, TcpListen), Some(Denied::TcpListen(address)));
        assert_eq!(connects.check(implicit, TcpListen), Some(Denied::TcpListen(implicit)));
        assert_eq!(connects.check(address, UdpSend), Some(Denied::UdpSend(address)));
        let sends = Sockets { udp_send: vec![range("127.0.0.1:80")], ..Sockets::default() };
        assert!(sends.check(implicit, UdpBind).is_none() && sends.check(address, UdpReceive).is_none());
        assert_eq!(sends.check(address, UdpBind), Some(Denied::UdpBind(address)));
        let listens = Sockets { tcp_listen: vec![range("127.0.0.1:0")], ..Sockets::default() };
        assert!(listens.check("127.0.0.1:0".parse().unwrap(), TcpBind).is_none());
        assert!(listens.check(address, TcpListen).is_none() && listens.check(address, TcpAccept).is_none());
        assert!(listens.check(address, TcpBind).is_some() && listens.check(address, TcpConnect).is_some());
    }

    #[test]
    fn a_host_is_granted_with_its_port() {
        let allows = |granted: &str, host: &str, port, default| {
            granted.parse::<HttpHost>().unwrap().allows(host, port, default)
        };
        assert!(
            allows("example.org", "EXAMPLE.org", 443, 443) && allows("example.org", "example.org", 80, 80)
        );
        assert!(
            !allows("example.org", "example.org", 8080, 80)
                && !allows("example.org", "a.example.org", 80, 80)
        );
        assert!(
            allows("localhost:8080", "localhost", 8080, 80) && !allows("localhost:8080", "localhost", 80, 80)
        );
        assert!(allows("[::1]:1", "[::1]", 1, 80) && allows("*", "any", 1, 80));
        assert!(allows("localhost:*", "localhost", 8080, 80) && allows("[::1]:*", "[::1]", 1, 80));
        assert!(!allows("localhost:*", "example.org", 8080, 80));
        for text in [
            "", "a@b", "a/b", "a:0", "a:70000", "a:", "http://a", "a b", ":*", "a:80:*", "a:*:*", "*.org",
            "*:80", "a@b:*",
        ] {
            assert!(text.parse::<HttpHost>().is_err(), "{text}");
        }
    }
}
