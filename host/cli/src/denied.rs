//! Reports denied requests to the user, with the option that would grant each.

use crate::output::say;
use crate::shared::text::quoted;
use crate::shared::{network, signals};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use uv_handles_host::Denied;

/// The number of different requests that are reported. A guest may make up any number of names.
const MOST: usize = 100;

/// The requests that have been reported.
#[derive(Debug, Default)]
pub struct Told(Mutex<HashSet<String>>);

impl Told {
    /// Never reports this request.
    pub fn keep_quiet(&self, message: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(message);
    }

    /// Reports a request, unless it has been reported already.
    pub fn tell(&self, message: String) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() > MOST || !told.insert(message.clone()) {
            return;
        }
        match told.len() > MOST {
            false => say(message),
            true => say("the guest asks for ever more that was not granted; nothing more is said about it"),
        }
    }
}

/// The message for a request of uv:handles.
pub fn sentence(denied: Denied<'_>) -> String {
    match denied {
        Denied::Descriptor(name) => {
            let (quoted, arg) = (quoted(name), argument(name));
            let options = match name {
                "stdin" => "--stdin would grant standard input".into(),
                "stdout" => "--stdout-as stdout would grant standard output".into(),
                _ => format!(
                    "--listen {arg}=ADDRESS:PORT would grant it \
                     (or --connect, --udp, --unix-listen, --unix-connect, --fifo, --stdout-as)"
                ),
            };
            format!("the guest asked for the descriptor {quoted}, which was not granted; {options}")
        }
        Denied::Signal(signum) => {
            let name = signals::name(signum);
            format!(
                "the guest asked for the signal {name}, which was not granted; \
                 --signal {name} would grant it"
            )
        }
        Denied::AsyncHandle(name) => format!(
            "the guest asked for the async handle {}, which was not granted; --wake {} would grant it",
            quoted(name),
            argument(name)
        ),
        Denied::AsyncSender(name) => format!(
            "the guest asked for the async sender {}, which uv-run never grants: it runs one guest",
            quoted(name)
        ),
        // A later version of the library may deny requests for which this command has no option.
        other => format!("the guest asked for {other:?}, which was not granted"),
    }
}

/// The descriptors that are granted by name. A guest may ask for the same by address.
#[derive(Debug, Default)]
pub struct Descriptors {
    /// Each name, and the option that grants it.
    pub names: HashMap<String, &'static str>,
    /// The listening TCP sockets.
    pub listeners: Vec<(String, SocketAddr)>,
}

impl Descriptors {
    /// The descriptor that the guest could open in the place of this request, and its option.
    fn instead_of(&self, denied: &network::Denied) -> Option<(&str, &'static str)> {
        match denied {
            network::Denied::TcpListen(on) => {
                let is_same = |own: &SocketAddr| {
                    let is_any = own.ip().is_unspecified() || on.ip().is_unspecified();
                    own.port() == on.port() && (is_any || own.ip() == on.ip())
                };
                let same = self.listeners.iter().find(|(_, own)| is_same(own))?;
                Some((&same.0, "--listen"))
            }
            network::Denied::Lookup(host) => {
                self.names.get_key_value(host).map(|(name, option)| (name.as_str(), *option))
            }
            _ => None,
        }
    }
}

/// The message for a request of WASI's network.
pub fn of_network(denied: &network::Denied, descriptors: &Descriptors) -> String {
    let option = match denied.grant() {
        (option @ "http", Some(host)) => format!("--{option} {}", argument(&host)),
        (option, Some(address)) => format!("--{option} {address}"),
        (option, None) => format!("--{option}"),
    };
    match descriptors.instead_of(denied) {
        Some((name, by)) => format!(
            "the guest asked for {denied}, which was not granted; {by} grants the descriptor {}, which is \
             opened by this name alone, without an address or port",
            quoted(name)
        ),
        None => format!("the guest asked for {denied}, which was not granted; {option} would grant it"),
    }
}

/// A name as it can be copied to a command line; `NAME` for one that would need quotes.
fn argument(name: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
    match !name.is_empty() && name.len() <= 64 && name.chars().all(plain) {
        true => name,
        false => "NAME",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_the_option() {
        for (denied, option) in [
            (Denied::Descriptor("clients"), "\"clients\", which was not granted; --listen clients=ADDRESS"),
            (Denied::Descriptor("a=\n"), "\"a=\\n\", which was not granted; --listen NAME=ADDRESS:PORT"),
            (Denied::Descriptor("stdin"), "--stdin would"),
            (Denied::Signal(1), "the signal hup, which was not granted; --signal hup would"),
            (Denied::Signal(40), "--signal 40 would"),
            (
                Denied::AsyncHandle("print"),
                "the async handle \"print\", which was not granted; --wake print would",
            ),
            (Denied::AsyncSender("jobs"), "the async sender \"jobs\", which uv-run never grants"),
        ] {
            let sentence = sentence(denied);
            assert!(sentence.contains(option), "{sentence}");
        }
    }

    #[test]
    fn a_sentence_about_the_network_names_the_option() {
        let address = "127.0.0.1:80".parse().unwrap();
        for (denied, option) in [
            (
                network::Denied::Http("a.org:443".into()),
                "to \"a.org:443\", which was not granted; --http a.org:443 would",
            ),
            (network::Denied::TcpConnect(address), "--tcp-connect 127.0.0.1:80 would"),
            (network::Denied::TcpListen(address), "--tcp-listen 127.0.0.1:80 would"),
            (network::Denied::UdpSend(address), "--udp-send 127.0.0.1:80 would"),
            (network::Denied::UdpBind(address), "--udp-bind 127.0.0.1:80 would"),
            (network::Denied::Lookup("a".into()), "of \"a\", which was not granted; --name-lookup would"),
        ] {
            let sentence = of_network(&denied, &Descriptors::default());
            assert!(sentence.contains(option), "{sentence}");
        }
    }

    #[test]
    fn a_sentence_about_the_network_names_the_descriptor_that_is_granted_instead() {
        use network::Denied;
        let descriptors = Descriptors {
            names: [("clients".into(), "--listen"), ("db".into(), "--connect")].into(),
            listeners: vec![("clients".into(), "127.0.0.1:80".parse().unwrap())],
        };
        for (denied, expected) in [
            (
                Denied::TcpListen("127.0.0.1:80".parse().unwrap()),
                "--listen grants the descriptor \"clients\"",
            ),
            (Denied::TcpListen("[::]:80".parse().unwrap()), "--listen grants the descriptor \"clients\""),
            (Denied::TcpListen("127.0.0.2:80".parse().unwrap()), "--tcp-listen 127.0.0.2:80 would"),
            (Denied::TcpListen("127.0.0.1:81".parse().unwrap()), "--tcp-listen 127.0.0.1:81 would"),
            (Denied::TcpConnect("127.0.0.1:80".parse().unwrap()), "--tcp-connect 127.0.0.1:80 would"),
            (Denied::Lookup("db".into()), "--connect grants the descriptor \"db\""),
            (Denied::Lookup("else".into()), "--name-lookup would"),
        ] {
            let sentence = of_network(&denied, &descriptors);
            assert!(sentence.contains(expected), "{sentence}");
        }
    }

    #[test]
    fn a_sentence_is_bounded() {
        let long = "\u{1}".repeat(1 << 20);
        for denied in [Denied::Descriptor(&long), Denied::AsyncHandle(&long), Denied::AsyncSender(&long)] {
            let sentence = sentence(denied);
            assert!(sentence.len() < 1_000, "{} bytes", sentence.len());
        }
    }

    #[test]
    fn what_is_told_is_bounded() {
        let told = Told::default();
        (0..1000).for_each(|number| told.tell(number.to_string()));
        assert_eq!(told.0.lock().unwrap().len(), MOST + 1);
    }
}
