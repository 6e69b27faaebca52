//! The command line of `uv-run`.
//!
//! The grants and limits of a guest are one struct, [`Options`]. A configuration file fills it in
//! as well: every option has the key of the same name there.

use crate::script::Language;
use crate::shared::config::{entries, value};
use crate::shared::network::{HttpHost, Range};
use crate::shared::quantities::Size;
use crate::shared::signals::Signals;
use crate::values::{
    Address, Dir, Env, Fifo, FilePath, HostPort, Name, Named, SocketPath, TimeLimit, Udp, Wake,
};
use clap::{Args, Parser, ValueHint};
use clap_complete::Shell;
use serde::Deserialize;
use std::path::{Path, PathBuf};

const EXIT_CODES: &str = "\
Exit codes:
  the guest's own     it ended by itself
  1                   the guest trapped; what happened is on standard error
  2                   the command line, the configuration or the component cannot be used
  124                 --timeout has passed
  141                 standard output is closed, as for any filter before `head`

RUST_LOG=uv_handles_host=debug,uv_run=debug tells more about a run.";

/// Runs a WebAssembly component that uses uv:handles (a program, or a plugin with
/// uv:handles/plugin-life), or a script in Python or JavaScript.
///
/// The guest gets its arguments, standard output and standard error, loops, timers and its own
/// async handles. Everything else it gets only when an option grants it. When it asks for more,
/// uv-run says on standard error what it was and which option grants it.
#[derive(Debug, Parser)]
#[command(
    name = "uv-run",
    version,
    override_usage = "uv-run [OPTIONS] GUEST.wasm|SCRIPT.py|SCRIPT.js|DIR|- [ARGS]...\n       \
        uv-run [OPTIONS] -c CODE|-m MODULE|-e CODE [ARGS]...",
    after_help = EXIT_CODES,
    verbatim_doc_comment
)]
pub struct Cli {
    #[command(flatten)]
    pub options: Options,

    /// Takes options from a TOML file too.
    ///
    /// Its keys are the options' names: `stdin = true`, `timeout = 2.5`,
    /// `signal = ["hup", "term"]`, `listen = { clients = "127.0.0.1:7000" }`. The command line adds
    /// to the file and has precedence.
    #[arg(long, value_name = "FILE.toml", value_hint = ValueHint::FilePath, help_heading = "Running", verbatim_doc_comment)]
    pub config: Option<PathBuf>,

    /// Prints what the component imports, and which options grant it; does not run it.
    #[arg(long, help_heading = "Running")]
    pub list_imports: bool,

    /// Makes an ordinary WASI component of a guest, with the program uv-compose; does not run it.
    ///
    /// The adapter, a component that exports uv:handles and imports WASI 0.2, is plugged into the
    /// guest. What the result does not have is reported on standard error: signals, descriptors,
    /// named async handles.
    #[arg(
        long,
        value_name = "GUEST.wasm",
        requires = "output",
        conflicts_with = "guest",
        value_hint = ValueHint::FilePath,
        help_heading = "Composing",
        verbatim_doc_comment
    )]
    pub compose: Option<PathBuf>,

    /// Where the composed component goes.
    #[arg(
        short,
        long,
        value_name = "OUT.wasm",
        requires = "compose",
        value_hint = ValueHint::FilePath,
        help_heading = "Composing"
    )]
    pub output: Option<PathBuf>,

    /// The adapter; without it the one that the guest needs, beside uv-compose or in ../guests.
    #[arg(
        long,
        value_name = "FILE.wasm",
        requires = "compose",
        value_hint = ValueHint::FilePath,
        help_heading = "Composing"
    )]
    pub adapter: Option<PathBuf>,

    /// Prints the completions for a shell.
    #[arg(long, value_name = "SHELL", help_heading = "Running")]
    pub completions: Option<Shell>,

    /// Runs this text as a script in Python. Everything that follows is its arguments.
    #[arg(
        short = 'c',
        value_name = "CODE",
        num_args = 1..,
        allow_hyphen_values = true,
        conflicts_with = "compose",
        help_heading = "Scripts"
    )]
    code: Option<Vec<String>>,

    /// Runs a module of Python as a script. Everything that follows is its arguments.
    #[arg(
        short = 'm',
        value_name = "MODULE",
        num_args = 1..,
        allow_hyphen_values = true,
        conflicts_with_all = ["code", "compose"],
        help_heading = "Scripts"
    )]
    module: Option<Vec<String>>,

    /// Runs this text as a script in JavaScript. Everything that follows is its arguments.
    #[arg(
        short = 'e',
        long,
        value_name = "CODE",
        num_args = 1..,
        allow_hyphen_values = true,
        conflicts_with_all = ["code", "module", "compose"],
        help_heading = "Scripts"
    )]
    eval: Option<Vec<String>>,

    /// Has no effect: the output of a script in Python is written at once anyway.
    #[arg(short = 'u', help_heading = "Scripts")]
    _unbuffered: bool,

    /// The language of a script whose name does not tell it.
    #[arg(long, value_enum, value_name = "LANGUAGE", help_heading = "Scripts")]
    pub language: Option<Language>,

    /// The guest and its arguments: everything that follows the file's name is the guest's.
    ///
    /// A component, a script, a directory with a script (`__main__.py`, `package.json`,
    /// `index.js`), or `-` for a script that is read from standard input. `--` before it says that
    /// arguments which look like options of uv-run are meant for the guest.
    #[arg(
        value_name = "GUEST.wasm|SCRIPT.py|SCRIPT.js",
        required_unless_present_any = ["completions", "compose", "code", "module", "eval"],
        trailing_var_arg = true,
        value_hint = ValueHint::FilePath
    )]
    guest: Vec<String>,
}

impl Cli {
    /// The guest's file.
    pub fn file(&self) -> &Path {
        // Empty only with --completions and --compose.
        Path::new(self.guest.first().map_or("", String::as_str))
    }

    /// The guest's arguments, as a C program gets them: first its own name.
    pub fn args(&self) -> &[String] {
        &self.guest
    }

    /// Takes the script of `-c`, `-m` or `-e`. The guest's arguments are those that follow it.
    pub fn take_inline(&mut self) -> Option<Inline> {
        let (language, name, given) = match (self.code.take(), self.module.take(), self.eval.take()) {
            (Some(given), ..) => (Language::Python, "-c", given),
            (_, Some(given), _) => (Language::Python, "-m", given),
            (.., Some(given)) => (Language::JavaScript, "[eval]", given),
            (None, None, None) => return None,
        };
        let mut given = given.into_iter();
        let text = given.next()?;
        self.guest = std::iter::once(name.to_owned()).chain(given).collect();
        Some(Inline { language, name, text })
    }
}

/// A script that is a part of the command line.
#[derive(Debug)]
pub struct Inline {
    pub language: Language,
    /// The name for the runtime: Python's for code and for a module, or Node's for code.
    pub name: &'static str,
    pub text: String,
}

/// Grants and limits, from the command line or a configuration file.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Options {
    /// Grants a listening TCP socket.
    ///
    /// Port 0 takes a free one; the address is printed on standard error.
    #[arg(long, value_name = "NAME=ADDRESS:PORT", help_heading = "Descriptors")]
    #[serde(deserialize_with = "entries")]
    pub listen: Vec<Named<Address>>,

    /// Grants a TCP connection, which is made each time the guest opens it.
    ///
    /// A failure is the guest's error, and the guest can try again.
    #[arg(long, value_name = "NAME=HOST:PORT", help_heading = "Descriptors")]
    #[serde(deserialize_with = "entries")]
    pub connect: Vec<Named<HostPort>>,

    /// Grants a UDP socket.
    ///
    /// With a HOST:PORT after the comma the guest can send to that peer only, otherwise to
    /// any address. Port 0 takes a free one; the address is printed on standard error.
    #[arg(
        long,
        value_name = "NAME=ADDRESS:PORT[,HOST:PORT]",
        help_heading = "Descriptors",
        verbatim_doc_comment
    )]
    #[serde(deserialize_with = "entries")]
    pub udp: Vec<Named<Udp>>,

    /// Grants a listening Unix socket; the file is removed at the end.
    ///
    /// An existing file is refused, unless it is a socket without a listener.
    #[arg(long, value_name = "NAME=PATH", value_hint = ValueHint::FilePath, help_heading = "Descriptors")]
    #[serde(deserialize_with = "entries")]
    pub unix_listen: Vec<Named<SocketPath>>,

    /// Grants a connection to a Unix socket, which is made each time the guest opens it.
    #[arg(long, value_name = "NAME=PATH", value_hint = ValueHint::FilePath, help_heading = "Descriptors")]
    #[serde(deserialize_with = "entries")]
    pub unix_connect: Vec<Named<SocketPath>>,

    /// Grants an existing FIFO for reading; or for `,write`, or `,both`.
    ///
    /// The input of a FIFO that is only read ends when its last writer closes it, as for `cat`.
    /// With `,both` it never ends: for commands that others echo into it from time to time. With
    /// `,write` another process must be reading it before the guest starts.
    #[arg(
        long,
        value_name = "NAME=PATH[,read|write|both]",
        value_hint = ValueHint::FilePath,
        help_heading = "Descriptors",
        verbatim_doc_comment
    )]
    #[serde(deserialize_with = "entries")]
    pub fifo: Vec<Named<Fifo>>,

    /// Grants standard input, under the name "stdin".
    ///
    /// It may be a pipe, a file, /dev/null or a terminal.
    #[arg(long, help_heading = "Descriptors")]
    pub stdin: bool,

    /// Grants standard output as a descriptor, which a loop can poll.
    ///
    /// Printing the usual way works without.
    #[arg(long, value_name = "NAME", help_heading = "Descriptors")]
    #[serde(deserialize_with = "value")]
    pub stdout_as: Option<Name>,

    /// Lets the guest watch these signals, by name or number: hup,term,int
    ///
    /// While it does not watch one, the signal does to uv-run what it does to any program.
    #[arg(long, value_name = "SIGNAL,...", help_heading = "Signals and async handles")]
    #[serde(deserialize_with = "entries")]
    pub signal: Vec<Signals>,

    /// Grants a named async handle, which a signal to uv-run or --control sends.
    #[arg(long, value_name = "NAME[=SIGNAL]", help_heading = "Signals and async handles")]
    #[serde(deserialize_with = "entries")]
    pub wake: Vec<Wake>,

    /// Listens on a Unix socket for the names of async handles to be sent, one per line.
    ///
    /// Every line is answered: with `ok`, or with what is wrong. Only processes of the same user
    /// can connect. The file is treated as that of --unix-listen otherwise.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Signals and async handles", verbatim_doc_comment)]
    #[serde(deserialize_with = "value")]
    pub control: Option<SocketPath>,

    /// Grants a directory, for reading and writing.
    #[arg(long, value_name = "HOST_DIR[::GUEST_DIR]", value_hint = ValueHint::DirPath, help_heading = "WASI")]
    #[serde(deserialize_with = "entries")]
    pub dir: Vec<Dir>,

    /// Grants a directory, for reading only.
    #[arg(long, value_name = "HOST_DIR[::GUEST_DIR]", value_hint = ValueHint::DirPath, help_heading = "WASI")]
    #[serde(deserialize_with = "entries")]
    pub dir_ro: Vec<Dir>,

    /// Sets an environment variable; without a value, to what it is for uv-run.
    #[arg(long, value_name = "NAME[=VALUE]", help_heading = "WASI")]
    #[serde(deserialize_with = "entries")]
    pub env: Vec<Env>,

    /// Grants HTTP and HTTPS requests to a host, by wasi:http; `*` for all hosts.
    ///
    /// Without a port, the port is the scheme's own: 80 or 443. `HOST:*` is all ports.
    #[arg(long, value_name = "HOST[:PORT]", help_heading = "WASI network")]
    #[serde(deserialize_with = "entries")]
    pub http: Vec<HttpHost>,

    /// Grants TCP connections to these addresses, by wasi:sockets.
    ///
    /// `*` stands for all addresses, or all ports: `10.0.0.0/8:80`, `[::1]:*`, `db.internal:5432`, `*:443`.
    #[arg(long, value_name = "ADDRESS[/BITS]:PORT", help_heading = "WASI network", verbatim_doc_comment)]
    #[serde(deserialize_with = "entries")]
    pub tcp_connect: Vec<Range>,

    /// Grants listening TCP sockets on these addresses, by wasi:sockets. Port 0 is a free one.
    #[arg(long, value_name = "ADDRESS[/BITS]:PORT", help_heading = "WASI network")]
    #[serde(deserialize_with = "entries")]
    pub tcp_listen: Vec<Range>,

    /// Grants datagrams to and from these addresses, by wasi:sockets.
    #[arg(long, value_name = "ADDRESS[/BITS]:PORT", help_heading = "WASI network")]
    #[serde(deserialize_with = "entries")]
    pub udp_send: Vec<Range>,

    /// Grants UDP sockets that are bound to these addresses, by wasi:sockets. They receive from all.
    #[arg(long, value_name = "ADDRESS[/BITS]:PORT", help_heading = "WASI network")]
    #[serde(deserialize_with = "entries")]
    pub udp_bind: Vec<Range>,

    /// Lets the guest look names up, by wasi:sockets.
    #[arg(long, help_heading = "WASI network")]
    pub name_lookup: bool,

    /// Answers HTTP requests to this address with the guest, which exports wasi:http/handler@0.3.
    ///
    /// One instance answers all requests. Port 0 takes a free one; the address is printed on
    /// standard error.
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "WASI network", verbatim_doc_comment)]
    #[serde(deserialize_with = "value")]
    pub serve: Option<Address>,

    /// Grants a directory for reading, in which a script's modules are looked up.
    ///
    /// The script's own directory comes first.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Scripts")]
    #[serde(deserialize_with = "entries")]
    pub pythonpath: Vec<FilePath>,

    /// Does not grant the script's own directory for reading.
    #[arg(long, help_heading = "Scripts")]
    pub isolated: bool,

    /// The component that runs Python scripts, as `cargo xtask python` builds it.
    ///
    /// Without, it is the one that UV_HANDLES_PYTHON names, or uv-python.wasm beside uv-run.
    #[arg(long, value_name = "FILE.wasm", value_hint = ValueHint::FilePath, help_heading = "Scripts")]
    #[serde(deserialize_with = "value")]
    pub python_runtime: Option<FilePath>,

    /// The component that runs JavaScript, as `cargo xtask javascript` builds it.
    ///
    /// Without, it is the one that UV_HANDLES_JAVASCRIPT names, or uv-javascript.wasm beside uv-run.
    #[arg(long, value_name = "FILE.wasm", value_hint = ValueHint::FilePath, help_heading = "Scripts")]
    #[serde(deserialize_with = "value")]
    pub javascript_runtime: Option<FilePath>,

    /// Handles that the guest may have at once, on all loops together [default: 65536]
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    pub max_handles: Option<u32>,

    /// Loops that the guest may have at once [default: 64]
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    pub max_loops: Option<u32>,

    /// Descriptors that the guest may have open at once [default: 1024]
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    pub max_descriptors: Option<u32>,

    /// Memory that the guest may have, in bytes or with K, M or G [default: 4G for each memory]
    #[arg(long, value_name = "BYTES", help_heading = "Limits")]
    #[serde(deserialize_with = "value")]
    pub max_memory: Option<Size>,

    /// Ends the guest after this time, with exit code 124. Decimals are allowed.
    #[arg(long, value_name = "SECONDS", help_heading = "Limits")]
    #[serde(deserialize_with = "value")]
    pub timeout: Option<TimeLimit>,

    /// Lets the loops' time jump to the next timer instead of waiting for it.
    ///
    /// It begins at 0. Descriptors, signals and sends from outside are real and are looked at
    /// before every jump; with no timer to jump to, the guest waits for them. WASI's monotonic
    /// clock shows the same time; its wall clock stays real.
    #[arg(long, help_heading = "Running", verbatim_doc_comment)]
    pub virtual_time: bool,

    /// Compiles the component anew, and keeps nothing in wasmtime's cache.
    #[arg(long, help_heading = "Running")]
    pub no_cache: bool,
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
    fn what_follows_the_guest_is_the_guests() {
        let cli =
            Cli::try_parse_from(["uv-run", "--signal", "hup,term", "guest.wasm", "--stdin", "-x"]).unwrap();
        assert_eq!((&cli.options.signal[0].0[..], cli.options.stdin), (&[1, 15][..], false));
        assert_eq!(cli.file(), Path::new("guest.wasm"));
        assert_eq!(cli.args()[1..], ["--stdin", "-x"]);
        assert!(Cli::try_parse_from(["uv-run", "--unknown", "guest.wasm"]).is_err());
        assert!(Cli::try_parse_from(["uv-run"]).is_err());
        assert!(Cli::try_parse_from(["uv-run", "--completions", "bash"]).is_ok());
    }

    #[test]
    fn what_follows_code_is_its_arguments() {
        for (line, language, name, text, args) in [
            (
                &["-c", "x", "--stdin", "--", "-c", "y"][..],
                Language::Python,
                "-c",
                "x",
                &["--stdin", "--", "-c", "y"][..],
            ),
            (&["-c", "-1", "a"], Language::Python, "-c", "-1", &["a"]),
            (
                &["--stdin", "-m", "a.b", "-m", "--timeout=2"],
                Language::Python,
                "-m",
                "a.b",
                &["-m", "--timeout=2"],
            ),
            (&["-e", "x", "--eval", "y"], Language::JavaScript, "[eval]", "x", &["--eval", "y"]),
            (&["--eval=x"], Language::JavaScript, "[eval]", "x", &[]),
        ] {
            let mut cli = Cli::try_parse_from([&["uv-run"], line].concat()).unwrap();
            let inline = cli.take_inline().unwrap();
            assert_eq!(
                (inline.language, inline.name, inline.text.as_str()),
                (language, name, text),
                "{line:?}"
            );
            assert_eq!(
                (&cli.args()[0][..], &cli.args()[1..]),
                (name, &args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>()[..])
            );
            assert_eq!(cli.options.stdin, line[0] == "--stdin");
        }
        let mut cli = Cli::try_parse_from(["uv-run", "script.py", "-c", "x"]).unwrap();
        assert!(cli.take_inline().is_none());
        assert_eq!(cli.args(), ["script.py", "-c", "x"]);
    }

    #[test]
    fn limits_that_are_said_to_be_the_default_are() {
        let help = Cli::command().render_help().to_string();
        let limits = uv_handles_host::Limits::default();
        for (option, limit) in [
            ("--max-handles", limits.handles),
            ("--max-loops", limits.loops),
            ("--max-descriptors", limits.descriptors),
        ] {
            let line = help.lines().skip_while(|line| !line.contains(option)).take(2).collect::<String>();
            assert!(line.contains(&format!("[default: {limit}]")), "{line}");
        }
    }
}
