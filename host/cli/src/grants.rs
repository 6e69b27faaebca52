//! Makes the grants of the options, before the guest starts: binds and connects sockets, and opens
//! FIFOs and directories.

use crate::cli::Options;
use crate::denied::{self, Descriptors, Told};
use crate::os::signal_set::SignalSet;
use crate::os::sockets::{self, SocketFiles};
use crate::os::{self, Descriptor, closed, ignored};
use crate::output::say;
use crate::script::{Language, Script};
use crate::shared::network::{Http, OnDenied, Sockets};
use crate::shared::signals;
use crate::shared::text::quoted;
use crate::stdio::Standard;
use crate::values::{Env, HostPort, Udp};
use crate::virtual_clock::VirtualMonotonicClock;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use uv_handles_host::{AsyncSender, Denied, UvCtx, VirtualClock};
use wasmtime::error::Context;
use wasmtime::{Result, bail};
use wasmtime_wasi::{FsPerms, WasiCtx};

/// A guest's contexts, and the parts of uv-run that belong to its grants.
pub struct Grants {
    pub uv: UvCtx,
    pub wasi: WasiCtx,
    pub http: Http,
    /// The async handles that signals trigger.
    pub by_signal: Vec<(i32, AsyncSender)>,
    /// The control socket, and the async handles that it triggers.
    pub control: Option<(sockets::Listener, Vec<AsyncSender>)>,
    pub files: SocketFiles,
}

/// Makes all grants. The arguments are the guest's.
pub fn make(options: &Options, args: &[String], script: Option<&Script>, is_plugin: bool) -> Result<Grants> {
    let names = names(options)?;
    let told = Arc::new(Told::default());
    if script.map(Script::language) == Some(Language::Python) {
        // Every loop that runs asks for it, and goes on without.
        told.keep_quiet(denied::sentence(Denied::Signal(SIGINT)));
    }
    let files = SocketFiles::default();
    let mut listeners = Vec::new();
    let mut uv = UvCtx::builder();
    if is_plugin {
        uv.plugin();
    }
    // They are made here, and closed in programs that this one might start.
    let mut grant = |option: &str, name: &str, made: Result<Descriptor>| {
        let made = made.and_then(|fd| uv.exclusive_descriptor(name, fd).map(drop).map_err(Into::into));
        made.with_context(|| format!("{option} {} is not possible", name.escape_debug()))
    };
    for listen in &options.listen {
        let option = format!("--listen {}={}", listen.name.escape_debug(), listen.value);
        let addresses = listen.value.resolve().with_context(|| unresolved(&option))?;
        let socket = TcpListener::bind(&addresses[..]).with_context(|| option.clone())?;
        let address = socket.local_addr()?;
        say(format!("{} listens on {address}", listen.name.escape_debug()));
        listeners.push((listen.name.clone(), address));
        grant("--listen", &listen.name, Ok(socket.into()))?;
    }
    for socket in &options.udp {
        let made = udp(&socket.value);
        if let Ok(made) = &made {
            say(format!("{} receives on {}", socket.name.escape_debug(), made.local_addr()?));
        }
        grant("--udp", &socket.name, made.map(Into::into))?;
    }
    for socket in &options.unix_listen {
        let made = files.listen(&socket.value.0).map(Into::into);
        grant("--unix-listen", &socket.name, made)?;
    }
    for file in &options.fifo {
        grant("--fifo", &file.name, os::fifo(&file.value))?;
    }
    // Connections are made when the guest opens them, and again when it opens them again.
    for peer in &options.connect {
        let address = peer.value.clone();
        uv.descriptor_with(peer.name.as_str(), move || connect(&address));
    }
    for socket in &options.unix_connect {
        let name = &socket.name;
        let connect = sockets::connector(&socket.value.0);
        let connect =
            connect.with_context(|| format!("--unix-connect {} is not possible", name.escape_debug()))?;
        uv.descriptor_with(name.as_str(), connect);
    }
    if options.stdin {
        uv.stdin("stdin", io::stdin()).context("--stdin: standard input cannot be used")?;
    }
    if let Some(name) = &options.stdout_as {
        let made = match closed::at_start(1) {
            // As for a C program: each write is the error EBADF.
            true => File::open(os::stdio::NULL).and_then(|null| uv.stdout(&name.0, null).map(drop)),
            false => uv.stdout(&name.0, io::stdout()).map(drop),
        };
        made.context("--stdout-as: standard output cannot be used")?;
    }
    for &signum in options.signal.iter().flat_map(|list| &list.0) {
        uv.signal(signum);
    }

    let senders: Vec<_> =
        options.wake.iter().map(|wake| (wake.signal, uv.async_sender(wake.name.as_str()))).collect();
    let control = match &options.control {
        Some(path) => Some(files.listen_private(&path.0).context("--control is not possible")?),
        None => None,
    };
    let control = control.map(|socket| (socket, senders.iter().map(|(_, sender)| sender.clone()).collect()));
    let by_signal = senders.into_iter().filter_map(|(signum, sender)| Some((signum?, sender))).collect();

    uv.limits(|limits| {
        limits.handles = options.max_handles.unwrap_or(limits.handles);
        limits.loops = options.max_loops.unwrap_or(limits.loops);
        limits.descriptors = options.max_descriptors.unwrap_or(limits.descriptors);
    });
    let clock = options.virtual_time.then(VirtualClock::new);
    if let Some(clock) = &clock {
        uv.virtual_clock(clock);
    }
    let listener = told.clone();
    uv.on_denied(move |denied| listener.tell(denied::sentence(denied)));
    let listener = told.clone();
    let descriptors = Descriptors { names, listeners };
    let on_denied: OnDenied =
        Arc::new(move |denied| listener.tell(denied::of_network(&denied, &descriptors)));
    let http = Http { hosts: options.http.clone(), on_denied: on_denied.clone() };
    let wasi = wasi(options, args, script, on_denied, clock)?;
    Ok(Grants { uv: uv.build(), wasi, http, by_signal, control, files })
}

/// The signals that trigger async handles. They have no other use in this run.
pub fn wake_signals(options: &Options) -> Result<SignalSet> {
    let signums = options.wake.iter().filter_map(|wake| wake.signal);
    for signum in signums.clone() {
        if options.signal.iter().any(|list| list.0.contains(&signum)) {
            let name = signals::name(signum);
            bail!("the signal {name} can be either the guest's (--signal) or send an async handle (--wake)");
        }
    }
    Ok(SignalSet::block(signums))
}

/// The names of the descriptors, with their options. Refuses two of one name: the guest could open only
/// one of them.
fn names(options: &Options) -> Result<HashMap<String, &'static str>> {
    let names = (options.listen.iter().map(|grant| (&grant.name, "--listen")))
        .chain(options.connect.iter().map(|grant| (&grant.name, "--connect")))
        .chain(options.udp.iter().map(|grant| (&grant.name, "--udp")))
        .chain(options.unix_listen.iter().map(|grant| (&grant.name, "--unix-listen")))
        .chain(options.unix_connect.iter().map(|grant| (&grant.name, "--unix-connect")))
        .chain(options.fifo.iter().map(|grant| (&grant.name, "--fifo")))
        .chain(options.stdout_as.iter().map(|name| (&name.0, "--stdout-as")));
    let mut known = HashMap::new();
    let stdin = "stdin".to_owned();
    if options.stdin {
        known.insert(&stdin, "--stdin");
    }
    for (name, option) in names {
        if let Some(other) = known.insert(name, option) {
            bail!("the descriptor {} is granted twice, by {other} and by {option}", quoted(name));
        }
    }
    Ok(known.into_iter().map(|(name, option)| (name.clone(), option)).collect())
}

/// Linux's number.
const SIGINT: i32 = 2;

/// libuv's EAI_NONAME. The resolver's errors have no number of the OS.
const NO_NAME: i32 = 3008;

fn connect(peer: &HostPort) -> io::Result<Descriptor> {
    let unresolved = |error: io::Error| match error.raw_os_error() {
        Some(_) => error,
        None => io::Error::from_raw_os_error(NO_NAME),
    };
    Ok(TcpStream::connect(&peer.resolve().map_err(unresolved)?[..])?.into())
}

fn udp(udp: &Udp) -> Result<UdpSocket> {
    let addresses = udp.bind.resolve().with_context(|| unresolved(&udp.bind))?;
    let socket = UdpSocket::bind(&addresses[..]).with_context(|| udp.bind.to_string())?;
    let bind = socket.local_addr()?;
    if let Some(peer) = &udp.peer {
        let addresses = peer.resolve().with_context(|| format!("{peer} cannot be resolved"))?;
        // An IPv4 socket reaches IPv4 addresses only, and likewise for IPv6. A name may have both.
        let reachable: Vec<_> =
            addresses.into_iter().filter(|address| address.is_ipv4() == bind.is_ipv4()).collect();
        let bind = &udp.bind;
        socket.connect(&reachable[..]).with_context(|| format!("{peer} cannot be reached from {bind}"))?;
    }
    Ok(socket)
}

/// The message for a name that has no address.
fn unresolved(given: impl fmt::Display) -> String {
    format!("{given} cannot be resolved")
}

/// The environment variable from which Python's runtime knows the signals that are ignored. Scripts do
/// not see it.
const IGNORED_SIGNALS: &str = "UV_HANDLES_IGNORED_SIGNALS";

/// The WASI context: the part that every program gets (standard output and standard error, its
/// arguments, clocks and random numbers) and the granted files.
fn wasi(
    options: &Options,
    args: &[String],
    script: Option<&Script>,
    on_denied: OnDenied,
    clock: Option<VirtualClock>,
) -> Result<WasiCtx> {
    let mut wasi = WasiCtx::builder();
    if let Some(clock) = clock {
        wasi.monotonic_clock(VirtualMonotonicClock(clock));
    }
    wasi.stdout(Standard::Output).stderr(Standard::Error);
    // The guest has this thread to itself, so printing may block it.
    wasi.allow_blocking_current_thread(true);
    wasi.args(args);
    if let Some(dir) = script.and_then(Script::working_dir) {
        wasi.initial_cwd(dir);
    }
    if script.map(Script::language) == Some(Language::Python) {
        let granted = options.signal.iter().flat_map(|list| &list.0);
        let signums: Vec<_> =
            granted.filter(|&&signum| ignored::at_start(signum)).map(i32::to_string).collect();
        if !signums.is_empty() {
            wasi.env(IGNORED_SIGNALS, signums.join(","));
        }
    }
    for Env { name, value } in &options.env {
        match value.clone().map_or_else(|| std::env::var(name), Ok) {
            Ok(value) => drop(wasi.env(name, value)),
            Err(_) => bail!("--env {}: uv-run has no such variable", name.escape_debug()),
        }
    }
    for (dirs, permissions, option) in
        [(&options.dir, FsPerms::ReadWrite, "--dir"), (&options.dir_ro, FsPerms::ReadOnly, "--dir-ro")]
    {
        for dir in dirs {
            let host = || format!("{option} {} cannot be opened", dir.host.display());
            if dir.host.is_file() {
                let parent = dir.host.parent().filter(|parent| !parent.as_os_str().is_empty());
                bail!(
                    "{option} {} is a file: a directory is granted whole, as {option} {}",
                    dir.host.display(),
                    parent.unwrap_or(Path::new(".")).display()
                );
            }
            wasi.preopened_dir(&dir.host, &dir.guest, permissions).with_context(host)?;
        }
    }
    let sockets = Sockets {
        tcp_connect: options.tcp_connect.clone(),
        tcp_listen: options.tcp_listen.clone(),
        udp_send: options.udp_send.clone(),
        udp_bind: options.udp_bind.clone(),
    };
    let sockets = sockets.resolved().map_err(|error| wasmtime::Error::msg(format!("--{error}")))?;
    sockets.grant(&mut wasi, on_denied);
    wasi.allow_ip_name_lookup(options.name_lookup);
    Ok(wasi.build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    fn refused(options: &[&str]) -> String {
        let line = [&["uv-run"], options, &["guest.wasm"]].concat();
        match make(&Cli::parse_from(line).options, &[], None, false) {
            Ok(_) => panic!("{options:?} is accepted"),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn what_can_not_be_granted_is_one_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        std::fs::write(path("file"), "").unwrap();
        let granted_whole =
            format!("is a file: a directory is granted whole, as --dir-ro {}", dir.path().display());
        for (option, expected) in [
            // The system's text differs from one Windows to another.
            (
                format!("--listen=a={}", taken.local_addr().unwrap()),
                if cfg!(windows) { "os error 10048" } else { "in use" },
            ),
            ("--udp=a=127.0.0.1:0,[::1]:1".into(), "cannot be reached from 127.0.0.1:0"),
            ("--udp=a=192.0.2.1:0".into(), "192.0.2.1:0: "),
            ("--listen=a=name.invalid:1".into(), "name.invalid:1 cannot be resolved"),
            ("--udp=a=name.invalid:1".into(), "name.invalid:1 cannot be resolved"),
            ("--tcp-connect=name.invalid:1".into(), "name.invalid:1 cannot be resolved"),
            (format!("--dir={}", path("none")), "cannot be opened"),
            (format!("--dir-ro={}", path("file")), &granted_whole),
            ("--env=UV_RUN_HAS_NO_SUCH_VARIABLE".into(), "has no such variable"),
        ] {
            is_refused(&option, expected);
        }
    }

    #[test]
    fn what_the_system_has_or_has_not_is_one_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("file"), "").unwrap();
        for (option, on_unix) in [
            (format!("--unix-listen=a={}", path("file")), "is no socket"),
            (format!("--unix-listen=a={}", path("none/socket")), "No such file"),
            (format!("--fifo=a={}", path("none")), "`mkfifo` makes it"),
            (format!("--fifo=a={}", path("file")), "is no FIFO"),
            (format!("--control={}", path("file")), "is no socket"),
        ] {
            is_refused(&option, if cfg!(unix) { on_unix } else { "it is not available on" });
        }
        if cfg!(not(unix)) {
            is_refused("--unix-connect=a=socket", "it is not available on");
        }
    }

    fn is_refused(option: &str, expected: &str) {
        let error = refused(&[option]);
        let name = option.split('=').next().unwrap();
        assert!(error.contains(expected) && error.contains(name), "{option}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }

    #[test]
    fn a_name_is_granted_once() {
        let error = refused(&["--udp=a=127.0.0.1:0", "--listen=a=127.0.0.1:0"]);
        assert!(error.contains("\"a\" is granted twice, by --listen and by --udp"), "{error}");
        let error = refused(&["--stdin", "--stdout-as=stdin"]);
        assert!(error.contains("by --stdin and by --stdout-as"), "{error}");
    }
}
