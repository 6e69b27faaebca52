//! The command line of `uv-run`.

use clap::Parser;
use std::net::SocketAddr;
use std::path::Path;

const EXIT_CODES: &str = "\
The exit code is the guest's. 1 also stands for a guest that trapped, 2 for a wrong command line or a
component that can not be used.

RUST_LOG=uv_handles_host=debug shows what a guest asks for and does not get.";

/// Runs a WebAssembly component that uses uv:handles.
///
/// The guest gets its standard output, standard error and arguments. Everything else it gets only
/// when an option grants it.
#[derive(Debug, Parser)]
#[command(
    name = "uv-run",
    version,
    override_usage = "uv-run [OPTIONS] GUEST.wasm [ARGS]...",
    after_help = EXIT_CODES
)]
pub struct Cli {
    /// Grants a listening TCP socket under a name. Port 0 takes a free one; the address is printed
    /// on standard error.
    #[arg(long, value_name = "NAME=ADDRESS:PORT", value_parser = listen)]
    pub listen: Vec<Listen>,

    /// Grants standard input, under the name "stdin". It may be a pipe, a file, /dev/null or a
    /// terminal.
    #[arg(long)]
    pub stdin: bool,

    /// Lets the guest watch these signals, by name or number: hup,term,int
    #[arg(long, value_name = "SIGNAL,...", value_delimiter = ',', value_parser = signal)]
    pub signal: Vec<i32>,

    /// The guest, a component, and what it gets as its arguments: whatever
    /// follows the file's name is the guest's.
    #[arg(value_name = "GUEST.wasm [ARGS]", required = true, trailing_var_arg = true)]
    guest: Vec<String>,
}

impl Cli {
    /// The guest's file.
    pub fn file(&self) -> &Path {
        Path::new(&self.guest[0])
    }

    /// The guest's arguments, as a C program gets them: first its own name.
    pub fn args(&self) -> &[String] {
        &self.guest
    }
}

/// A listening socket to be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// The name that the guest opens it by.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
}

fn listen(text: &str) -> Result<Listen, String> {
    let (name, address) = text.split_once('=').ok_or("expected NAME=ADDRESS:PORT")?;
    if name.is_empty() {
        return Err("the name is empty".into());
    }
    let address =
        address.parse().map_err(|_| format!("{address:?} is no ADDRESS:PORT, such as 127.0.0.1:8080"))?;
    Ok(Listen { name: name.into(), address })
}

/// Linux's signals that a guest may watch, by name.
const SIGNALS: [(&str, i32); 25] = [
    ("hup", 1),
    ("int", 2),
    ("quit", 3),
    ("usr1", 10),
    ("usr2", 12),
    ("pipe", 13),
    ("alrm", 14),
    ("term", 15),
    ("stkflt", 16),
    ("chld", 17),
    ("cont", 18),
    ("tstp", 20),
    ("ttin", 21),
    ("ttou", 22),
    ("urg", 23),
    ("xcpu", 24),
    ("xfsz", 25),
    ("vtalrm", 26),
    ("prof", 27),
    ("winch", 28),
    ("io", 29),
    ("poll", 29),
    ("pwr", 30),
    ("sys", 31),
    ("rtmin", 34),
];

fn signal(text: &str) -> Result<i32, String> {
    let lower = text.to_lowercase();
    let name = lower.strip_prefix("sig").unwrap_or(&lower);
    let known = SIGNALS.iter().find(|(known, _)| *known == name).map(|&(_, signum)| signum);
    let signum = known
        .or_else(|| name.parse().ok())
        .ok_or("no such signal; expected a name such as hup, or a number")?;
    let watchable = SIGNALS.iter().any(|&(_, known)| known == signum) || (34..=64).contains(&signum);
    watchable.then_some(signum).ok_or_else(|| "a guest can not watch this signal".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn signals_have_names_and_numbers() {
        for text in ["hup", "HUP", "SIGHUP", "sighup", "1"] {
            assert_eq!(signal(text), Ok(1), "{text}");
        }
        assert_eq!(signal("64"), Ok(64));
        for text in ["kill", "9", "segv", "11", "0", "-1", "65", "33", "", "no"] {
            assert!(signal(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_listening_socket_has_a_name_and_an_address() {
        let parsed = listen("clients=[::1]:80").unwrap();
        assert_eq!((parsed.name.as_str(), parsed.address.to_string().as_str()), ("clients", "[::1]:80"));
        for text in [
            "clients",
            "=127.0.0.1:0",
            "clients=",
            "clients=127.0.0.1",
            "clients=localhost:0",
            "c=1.2.3.4:65536",
        ] {
            assert!(listen(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_follows_the_guest_is_the_guests() {
        let cli =
            Cli::try_parse_from(["uv-run", "--signal", "hup,term", "guest.wasm", "--stdin", "-x"]).unwrap();
        assert_eq!((&cli.signal[..], cli.stdin), (&[1, 15][..], false));
        assert_eq!(cli.file(), Path::new("guest.wasm"));
        assert_eq!(cli.args()[1..], ["--stdin", "-x"]);
        assert!(Cli::try_parse_from(["uv-run", "--unknown", "guest.wasm"]).is_err());
        assert!(Cli::try_parse_from(["uv-run"]).is_err());
    }
}
