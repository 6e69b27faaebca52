//! Grants of descriptors, read from an environment variable in the notation of uv-run's options.
//!
//! Opening a granted socket makes it; closing its descriptor closes it. Standard streams are kept.

use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};
use crate::bindings::wasi::cli::environment::get_environment;
use crate::bindings::wasi::cli::stderr::get_stderr;
use crate::bindings::wasi::cli::stdin::get_stdin;
use crate::bindings::wasi::cli::stdout::get_stdout;
use crate::source::Kind;
use crate::streams::{Reader, Writer};
use crate::tcp;
use std::cell::RefCell;
use std::net::SocketAddr;

/// The environment variable. Its value has the form of a command line of `uv-run`, without quoting.
const VARIABLE: &str = "UV_HANDLES_GRANTS";

/// The code of a failure of a standard stream. WASI 0.2 does not tell the reason.
const FAILURE: ErrorCode = ErrorCode::Eio;

thread_local! {
    /// None until a descriptor is opened.
    static GRANTS: RefCell<Option<Grants>> = const { RefCell::new(None) };
}

/// The grants, or the error of every `open` if the variable cannot be read.
type Grants = Result<Vec<Grant>, ErrorCode>;

struct Grant {
    name: String,
    what: What,
    open: bool,
    /// The standard stream, once it has been opened and closed again.
    kept: Option<Kind>,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    Stdin,
    Stdout,
    Stderr,
    Listen(SocketAddr),
    Connect { host: String, port: u16 },
}

/// Opens the descriptor that is granted under a name. Returns it with the grant's index, for
/// [`closed`].
pub fn open(name: &str) -> Result<(usize, Kind), Error> {
    GRANTS.with_borrow_mut(|grants| {
        let grants = match grants.get_or_insert_with(read) {
            Ok(grants) => grants,
            Err(code) => return Err((*code).into()),
        };
        let at = grants.iter().position(|grant| grant.name == name).ok_or(ErrorCode::Enoent)?;
        let grant = &mut grants[at];
        if grant.open {
            return Err(ErrorCode::Ebusy.into());
        }
        let kind = match grant.kept.take() {
            Some(kind) => kind,
            None => make(&grant.what)?,
        };
        grant.open = true;
        Ok((at, kind))
    })
}

/// Notes that the descriptor of a grant has been closed. `kept` is opened again next time.
pub fn closed(at: usize, kept: Option<Kind>) {
    GRANTS.with_borrow_mut(|grants| {
        if let Some(Ok(grants)) = grants {
            grants[at].open = false;
            grants[at].kept = kept;
        }
    });
}

fn make(what: &What) -> Result<Kind, Error> {
    Ok(match what {
        What::Stdin => Kind::Input(Reader::new(get_stdin(), FAILURE)),
        What::Stdout => Kind::Output(Writer::new(get_stdout(), FAILURE)),
        What::Stderr => Kind::Output(Writer::new(get_stderr(), FAILURE)),
        What::Listen(address) => Kind::Listener(tcp::listen(*address)?),
        What::Connect { host, port } => Kind::Connection(tcp::connect(host, *port)?),
    })
}

/// Reads the variable. If it is invalid, nothing is granted, and a message goes to standard error.
fn read() -> Grants {
    let variables = get_environment();
    let value = variables.into_iter().find(|(name, _)| name == VARIABLE).map(|(_, value)| value);
    parse(value.as_deref().unwrap_or_default()).map_err(|why| {
        say(&format!("uv:handles: {VARIABLE} is of no use, so nothing is granted: {why}\n"));
        ErrorCode::Einval
    })
}

fn parse(text: &str) -> Result<Vec<Grant>, String> {
    let mut grants: Vec<Grant> = Vec::new();
    let mut words = text.split_ascii_whitespace();
    while let Some(word) = words.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (word, None),
        };
        let mut value = |expected: &str| {
            value.or_else(|| words.next()).ok_or_else(|| format!("{option} needs a value, {expected}"))
        };
        let (name, what) = match option {
            "--stdin" if word == option => ("stdin", What::Stdin),
            "--stdin" => return Err("--stdin takes no value".into()),
            "--stdout-as" => (value("NAME")?, What::Stdout),
            "--stderr-as" => (value("NAME")?, What::Stderr),
            "--listen" => {
                let (name, address) = named(option, value("NAME=ADDRESS:PORT")?)?;
                let what = address.parse().map(What::Listen);
                (name, what.map_err(|_| format!("{address:?} is no ADDRESS:PORT, such as 0.0.0.0:8080"))?)
            }
            "--connect" => {
                let (name, peer) = named(option, value("NAME=HOST:PORT")?)?;
                (name, host_and_port(peer)?)
            }
            "--udp" | "--unix-listen" | "--unix-connect" | "--fifo" => {
                return Err(format!("there is no {option} in a composed component"));
            }
            _ => {
                return Err(format!(
                    "{word:?} is none of --stdin, --stdout-as, --stderr-as, --listen and --connect"
                ));
            }
        };
        if name.is_empty() {
            return Err(format!("the name after {option} is empty"));
        }
        if grants.iter().any(|grant| grant.name == name) {
            return Err(format!("{name:?} is granted twice"));
        }
        grants.push(Grant { name: name.into(), what, open: false, kept: None });
    }
    Ok(grants)
}

fn named<'a>(option: &str, value: &'a str) -> Result<(&'a str, &'a str), String> {
    value.split_once('=').ok_or_else(|| format!("{option} {value} has no name: it is {option} NAME=..."))
}

fn host_and_port(peer: &str) -> Result<What, String> {
    let parts = peer.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let (host, port) = parts
        .filter(|&(host, port)| !host.is_empty() && port > 0)
        .ok_or_else(|| format!("{peer:?} is no HOST:PORT, such as example.org:80"))?;
    // An IPv6 address is in brackets.
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Ok(What::Connect { host: host.into(), port })
}

/// Writes a message to standard error. A failure is ignored.
fn say(text: &str) {
    let stderr = get_stderr();
    let mut bytes = text.as_bytes();
    while !bytes.is_empty() {
        match stderr.check_write() {
            Ok(0) => stderr.subscribe().block(),
            Ok(permitted) => {
                let fits = bytes.len().min(usize::try_from(permitted).unwrap_or(usize::MAX));
                if stderr.write(&bytes[..fits]).is_err() {
                    return;
                }
                bytes = &bytes[fits..];
            }
            Err(_) => return,
        }
    }
    let _ = stderr.flush();
}
