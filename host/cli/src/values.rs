//! The types of the options' values. One `FromStr` reads each type from text, whether the text
//! comes from the command line or from a configuration file.

use crate::shared::quantities::Seconds;
use crate::shared::signals;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// `NAME=VALUE`: a descriptor under the name that the guest opens it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<T> {
    pub name: String,
    pub value: T,
}

impl<T: FromStr<Err = String>> FromStr for Named<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("expected NAME=...")?;
        Ok(Named { name: name.parse::<Name>()?.0, value: value.parse()? })
    }
}

/// A name that is not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(pub String);

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Name, String> {
        match text {
            "" => Err("the name is empty".into()),
            name => Ok(Name(name.into())),
        }
    }
}

/// An address of this machine and a port, which may be 0. The address may be a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        let is_name = |(host, port): (&str, &str)| {
            !host.is_empty() && !host.contains(':') && port.parse::<u16>().is_ok()
        };
        match text.parse::<SocketAddr>().is_ok() || text.rsplit_once(':').is_some_and(is_name) {
            true => Ok(Address(text.into())),
            false => Err(format!("{text:?} is no ADDRESS:PORT, such as 127.0.0.1:8080 or localhost:8080")),
        }
    }
}

impl Address {
    /// Asks the system's resolver. A name with several addresses has those of IPv4 first, which
    /// clients that know either address reach.
    pub fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        let mut addresses: Vec<_> = self.0.to_socket_addrs()?.collect();
        addresses.sort_by_key(SocketAddr::is_ipv6);
        Ok(addresses)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A host by name or address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort(String);

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<HostPort, String> {
        let well_formed = text
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0));
        match well_formed {
            true => Ok(HostPort(text.into())),
            false => Err(format!("{text:?} is no HOST:PORT, such as example.org:80")),
        }
    }
}

impl HostPort {
    /// Asks the system's resolver.
    pub fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        Ok(self.0.to_socket_addrs()?.collect())
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `ADDRESS:PORT[,HOST:PORT]`: where a UDP socket is bound, and its only peer if it is to have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Udp {
    pub bind: Address,
    pub peer: Option<HostPort>,
}

impl FromStr for Udp {
    type Err = String;

    fn from_str(text: &str) -> Result<Udp, String> {
        let (bind, peer) = match text.split_once(',') {
            Some((bind, peer)) => (bind, Some(peer.parse()?)),
            None => (text, None),
        };
        Ok(Udp { bind: bind.parse()?, peer })
    }
}

/// The path of a file or directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePath(pub PathBuf);

impl FromStr for FilePath {
    type Err = String;

    fn from_str(text: &str) -> Result<FilePath, String> {
        path(text).map(FilePath)
    }
}

/// The path of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketPath(pub PathBuf);

impl FromStr for SocketPath {
    type Err = String;

    fn from_str(text: &str) -> Result<SocketPath, String> {
        path(text).map(SocketPath)
    }
}

/// `PATH[,read|,write|,both]`: a FIFO and how it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fifo {
    pub path: PathBuf,
    pub mode: FifoMode,
}

/// How a FIFO is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FifoMode {
    /// For reading; the input ends when the last writer has closed it.
    Read,
    /// For writing, to a FIFO that another process reads already.
    Write,
    /// For both, which keeps it open: its input never ends.
    Both,
}

impl FromStr for Fifo {
    type Err = String;

    fn from_str(text: &str) -> Result<Fifo, String> {
        let modes = [(",read", FifoMode::Read), (",write", FifoMode::Write), (",both", FifoMode::Both)];
        let given = modes.iter().find_map(|(suffix, mode)| Some((text.strip_suffix(suffix)?, *mode)));
        let (file, mode) = given.unwrap_or((text, FifoMode::Read));
        Ok(Fifo { path: path(file)?, mode })
    }
}

fn path(text: &str) -> Result<PathBuf, String> {
    match text {
        "" => Err("the path is empty".into()),
        path => Ok(path.into()),
    }
}

/// `NAME[=SIGNAL]`: a named async handle, and a signal that triggers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    pub name: String,
    pub signal: Option<i32>,
}

impl FromStr for Wake {
    type Err = String;

    fn from_str(text: &str) -> Result<Wake, String> {
        let (name, signal) = match text.split_once('=') {
            Some((name, signal)) => (name, Some(signals::number(signal)?)),
            None => (text, None),
        };
        Ok(Wake { name: name.parse::<Name>()?.0, signal })
    }
}

/// `HOST_DIR[::GUEST_DIR]`: a directory, and the guest's name for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dir {
    pub host: PathBuf,
    pub guest: String,
}

impl FromStr for Dir {
    type Err = String;

    fn from_str(text: &str) -> Result<Dir, String> {
        let (host, guest) = text.split_once("::").unwrap_or((text, text));
        match guest {
            "" => Err("the guest's name for the directory is empty".into()),
            guest => Ok(Dir { host: path(host)?, guest: guest.into() }),
        }
    }
}

/// `NAME[=VALUE]`: an environment variable; without a value, uv-run's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Env {
    pub name: String,
    pub value: Option<String>,
}

impl FromStr for Env {
    type Err = String;

    fn from_str(text: &str) -> Result<Env, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        if text.contains('\0') {
            return Err("a variable cannot contain a NUL".into());
        }
        Ok(Env { name: name.parse::<Name>()?.0, value })
    }
}

/// A time in seconds, above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimit(pub Duration);

impl FromStr for TimeLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<TimeLimit, String> {
        match text.parse() {
            Ok(Seconds(limit)) if !limit.is_zero() => Ok(TimeLimit(limit)),
            _ => Err(format!("{text:?} is no number of seconds above 0, such as 2 or 0.5")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T: FromStr + fmt::Debug>(texts: &[&str]) {
        for text in texts {
            assert!(text.parse::<T>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_listening_socket_has_a_name_and_an_address() {
        let parsed: Named<Address> = "clients=[::1]:80".parse().unwrap();
        assert_eq!((parsed.name.as_str(), parsed.value.to_string().as_str()), ("clients", "[::1]:80"));
        let parsed: Named<Address> = "clients=localhost:0".parse().unwrap();
        assert!(parsed.value.resolve().unwrap()[0].is_ipv4());
        refused::<Named<Address>>(&[
            "clients",
            "=127.0.0.1:0",
            "clients=",
            "clients=127.0.0.1",
            "clients=localhost",
            "clients=localhost:http",
            "clients=:80",
            "clients=::1:80",
            "c=1.2.3.4:65536",
        ]);
    }

    #[test]
    fn a_peer_has_a_host_and_a_port() {
        for text in ["example.org:80", "[::1]:80", "127.0.0.1:1"] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), text);
        }
        refused::<HostPort>(&[
            "",
            "example.org",
            ":80",
            "example.org:",
            "example.org:http",
            "a:0",
            "a:65536",
        ]);
    }

    #[test]
    fn a_udp_socket_may_have_a_peer() {
        assert_eq!("0.0.0.0:53".parse::<Udp>().unwrap().peer, None);
        let connected: Udp = "0.0.0.0:0,example.org:53".parse().unwrap();
        assert_eq!(connected.peer.unwrap().to_string(), "example.org:53");
        refused::<Udp>(&["0.0.0.0:0,", "0.0.0.0,a:1", ",a:1"]);
    }

    #[test]
    fn a_fifo_is_read_unless_it_says_otherwise() {
        let fifo = |text: &str| text.parse::<Fifo>().unwrap();
        assert_eq!(fifo("/run/f"), Fifo { path: "/run/f".into(), mode: FifoMode::Read });
        assert_eq!(fifo("a,b,both"), Fifo { path: "a,b".into(), mode: FifoMode::Both });
        assert_eq!(fifo("f,write").mode, FifoMode::Write);
        refused::<Fifo>(&["", ",read"]);
    }

    #[test]
    fn an_async_handle_may_have_a_signal() {
        assert_eq!("print=usr1".parse(), Ok(Wake { name: "print".into(), signal: Some(10) }));
        assert_eq!("print".parse(), Ok(Wake { name: "print".into(), signal: None }));
        refused::<Wake>(&["", "=usr1", "print=", "print=kill"]);
    }

    #[test]
    fn a_directory_may_have_another_name_inside() {
        assert_eq!("/tmp".parse(), Ok(Dir { host: "/tmp".into(), guest: "/tmp".into() }));
        assert_eq!("data::/d".parse(), Ok(Dir { host: "data".into(), guest: "/d".into() }));
        refused::<Dir>(&["", "::/d", "data::"]);
    }

    #[test]
    fn a_variable_may_have_a_value() {
        assert_eq!("A=b=c".parse(), Ok(Env { name: "A".into(), value: Some("b=c".into()) }));
        assert_eq!("A=".parse(), Ok(Env { name: "A".into(), value: Some("".into()) }));
        assert_eq!("A".parse(), Ok(Env { name: "A".into(), value: None }));
        refused::<Env>(&["", "=b", "A=\0"]);
    }

    #[test]
    fn a_time_limit_is_above_0() {
        assert_eq!("0.25".parse(), Ok(TimeLimit(Duration::from_millis(250))));
        refused::<TimeLimit>(&["", "0", "-1", "inf", "nan", "1s", "1e300"]);
    }
}
