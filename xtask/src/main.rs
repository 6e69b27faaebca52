//! The project's own commands: `cargo xtask guests`, `test`, `demo` and more.
//!
//! Each command first makes its prerequisites: the toolchain for the guests ([`toolchain`]), the
//! guests ([`guests`]), the programs with wasmtime ([`uv_run`]). System packages are installed with
//! `--install` only.

#![forbid(unsafe_code)]

mod bench;
mod conformance;
mod debian;
mod demo;
mod drawing;
mod fuzz;
mod guests;
mod guide;
mod javascript;
mod judges;
mod new;
mod node_judges;
mod os;
mod package;
mod platforms;
mod plugin_host;
mod process;
mod profile;
mod python;
mod python_bench;
mod runtimes;
mod soak;
mod test;
mod toolchain;
mod uv_run;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Error, Result};
use clap::builder::FalseyValueParser;
use clap::{Parser, Subcommand};

use crate::os::Os;
use crate::platforms::Depth;
use crate::profile::Profile;
use crate::runtimes::Runtime;
use crate::toolchain::Way;
use crate::workspace::Workspace;

/// Builds the guests, runs the tests, shows the demo.
///
/// Every command that needs guests first makes sure that they can be built: the toolchain in use has
/// the target, or `rustup target add` gets it, or Debian's packages rustc-web, cargo-web, rust-web-src
/// and wasi-libc are used. Where Debian's packages are missing, the command that installs them is
/// printed.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Builds the guests this one way instead of the first that works
    #[arg(long, global = true, value_name = "WAY", env = "UV_HANDLES_GUEST_TOOLCHAIN")]
    guest_toolchain: Option<Way>,

    /// Installs Debian's packages that are missing, with apt-get. That takes root
    #[arg(long, global = true, env = "UV_HANDLES_INSTALL", value_parser = FalseyValueParser::new())]
    install: bool,

    /// Builds the host with this implementation of its OS layer
    #[arg(long, global = true, value_enum, default_value_t)]
    os: Os,
}

#[derive(Subcommand)]
enum Command {
    /// Build every guest and every example guest into target/guests
    ///
    /// They are components for wasm32-wasip2, and for wasm32-unknown-unknown where a guest shows
    /// that no WASI is needed. A file is rewritten only when it has changed.
    Guests,

    /// Lay out a plugin in Rust in a new folder: manifest, source and a test
    ///
    /// docs/guest.md explains the files.
    New {
        /// The folder. Its name is the plugin's: lower-case words with hyphens between them
        #[arg(value_name = "PATH")]
        folder: PathBuf,
    },

    /// Build the runtime for Python scripts, target/python/uv-python.wasm
    ///
    /// It gets componentize-py from PyPI into a virtual environment below target, which takes python3
    /// with the modules venv and ensurepip; Debian's packages python3 and python3-venv have them.
    /// `uv-run script.py` finds the runtime there.
    Python {
        /// Check the types of the package, its tests and the examples too, with mypy --strict
        #[arg(long)]
        check: bool,

        /// Compare asyncio in the sandbox with a Python of the machine, with callbacks, and more
        #[arg(long, value_name = "PYTHON", num_args = 0..=1, default_missing_value = "python3")]
        bench: Option<PathBuf>,
    },

    /// Build the runtime for scripts in JavaScript, target/javascript/uv-javascript.wasm
    ///
    /// It gets a C compiler from PyPI into a virtual environment below target, as `python` does.
    /// `uv-run script.js` finds the runtime there.
    Javascript {
        /// Check the TypeScript declarations too, with the compiler from npm
        #[arg(long)]
        check: bool,

        /// Build a plugin for the example server instead, from its script and the modules beside it
        #[arg(long, value_name = "SCRIPT.js", num_args = 1.., requires = "output", conflicts_with = "check")]
        plugin: Vec<PathBuf>,

        /// The file for the plugin
        #[arg(short, long, value_name = "OUT.wasm", requires = "plugin")]
        output: Option<PathBuf>,
    },

    /// Build the guests and run all tests
    ///
    /// In this order: the loop's state machine is built for wasm32-unknown-unknown; packages
    /// without wasmtime are tested in the dev profile, with debug assertions; all else in the
    /// profile `quick`. Between the two, docs/guest.md is followed, the crates are packaged, a
    /// browser looks at the page of the example server, if one is installed, and the benchmark
    /// shows that all of its sides do the same work. At last composed guests run on jco and on
    /// wasmtime from PyPI.
    Test {
        /// Arguments for `cargo test`, after `--`
        ///
        /// They narrow the run: only the tests of the profile `quick` run, and `-p PACKAGE` stands for
        /// that package alone. Example: cargo xtask test -- -p uv-handles-tests timer
        #[arg(last = true, value_name = "ARGS")]
        cargo_args: Vec<String>,
    },

    /// Run test suites of other projects in the sandbox: CPython's asyncio, uvloop's, pyuv's, Node's
    ///
    /// It fetches them from Debian and PyPI into target/judges, and prints how many cases of each file
    /// passed, are excepted with a reason, and failed. A part of `test`.
    Judges {
        /// Node's alone
        #[arg(long)]
        javascript: bool,
    },

    /// Compare random handle programs on native libuv, on the loop's core, in the sandbox, and composed
    ///
    /// A program that differs is minimized and printed with both traces.
    Conformance {
        /// Shows instead that faults put into the core are found, each within 2,000 programs
        #[arg(long, conflicts_with = "args")]
        faults: bool,

        /// How many programs (--programs N), from which seed (--seed S), as Python scripts (--python), and
        /// more (--help)
        #[arg(value_name = "OPTIONS", trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },

    /// Measure a guest in the sandbox beside native libuv, stock WASI, wstd and tokio
    ///
    /// It prints a table, and writes it to target/bench/report.md, with the raw figures and drawings beside it. A full
    /// run takes about 8 minutes after everything has been built; nothing else should run meanwhile.
    Bench {
        #[command(flatten)]
        options: bench::Options,
    },

    /// Run composed guests on runtimes without uv:handles
    ///
    /// It installs them into target/runtimes: jco from npm (with Node.js from PyPI, if the machine has none or an
    /// old one), wasmtime from PyPI, wasmCloud's host from crates.io (takes some minutes to build). It needs
    /// the network the first time, and fails if one of them cannot be had. The first two are a part of `test`.
    Runtimes {
        /// These alone
        #[arg(value_name = "RUNTIME")]
        runtimes: Vec<Runtime>,
    },

    /// Watch the line-stats example at work
    ///
    /// It counts the lines of this repository's text from a pipe and of a TCP client, and answers to
    /// SIGHUP and SIGTERM. Only this guest and uv-run are built.
    Demo {
        /// Show the Python script examples/python/line_stats.py instead
        #[arg(long, conflicts_with = "javascript")]
        python: bool,

        /// Show the script examples/javascript/line_stats.js instead
        #[arg(long)]
        javascript: bool,

        /// Show the example watcher instead, with an HTTP server that is slow for a while
        #[arg(long, conflicts_with_all = ["python", "javascript"])]
        http: bool,
    },

    /// Build uv-run and uv-compose, and print where they are
    ///
    /// They are built in the profile that ships.
    UvRun {
        /// Build them in the profile of the tests instead, which takes less time
        #[arg(long)]
        quick: bool,

        /// Build the runtime for Python scripts too
        #[arg(long)]
        python: bool,

        /// Build the runtime for scripts in JavaScript too
        #[arg(long)]
        javascript: bool,
    },

    /// Build the example server and run it on its sample plugins
    ///
    /// They are laid out in target/plugin-host, to be changed; SIGHUP makes the server read them again.
    PluginHost {
        /// Where to serve HTTP
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
        listen: String,

        /// Send it 2,000 messages per second for so many seconds instead (a minute without SECONDS),
        /// beside clients that misbehave, and check that none is lost
        #[arg(long, value_name = "SECONDS", conflicts_with_all = ["listen", "screenshot"])]
        load: Option<Option<u32>>,

        /// Look at its page with Chromium instead, and take a picture of it
        ///
        /// Without FILE it is docs/plugin-host.png. It takes Chromium or Chrome.
        #[arg(long, value_name = "FILE", conflicts_with = "listen")]
        screenshot: Option<Option<PathBuf>>,
    },

    /// Follow docs/guest.md from an empty folder to running guests, with the commands that it shows
    ///
    /// A part of `test`. It needs no network.
    Guide,

    /// Package each crate that is published, and check that it is complete
    ///
    /// A part of `test`. It needs no network once everything has been built.
    Package,

    /// Check that the host library and uv-run compile for macOS, FreeBSD, Windows, and Linux on ARM
    ///
    /// It takes the targets from rustup and a C compiler from PyPI. What cannot be had is said, and left
    /// out. docs/platforms.md tells what each system can do.
    Platforms {
        /// Check the host library alone, which takes a fraction of the time
        #[arg(long, conflicts_with_all = ["link", "run"])]
        library: bool,
        /// Build uv-run and the tests too
        #[arg(long)]
        link: bool,
        /// Run the tests too, by qemu for Linux on ARM and by Wine for Windows
        #[arg(long)]
        run: bool,
        /// These targets alone, by Rust's names
        #[arg(value_name = "TARGET")]
        targets: Vec<String>,
    },

    /// Call the loop's core and the host's interfaces in any order, with any arguments
    ///
    /// Needs the nightly toolchain; installs cargo-fuzz below target.
    Fuzz {
        /// How long for each target; 0 runs the committed seeds alone
        #[arg(long, default_value_t = 20.0)]
        minutes: f64,

        /// This target alone
        #[arg(long, value_parser = ["core_calls", "sessions", "wit_surface"])]
        target: Option<String>,
    },

    /// Run guests that open, close, trap and start again, and check that the host does not grow
    ///
    /// The samples and a drawing of them go to target/soak. It fails if in the last quarter more memory,
    /// descriptors or threads were in use than in the second.
    Soak {
        /// How long
        #[arg(long, default_value_t = 15.0)]
        minutes: f64,

        /// So many plugins at a time on one runtime instead, each with a timer and an async handle
        #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
        plugins: Option<u32>,

        /// Judge and draw the samples of an earlier run instead
        #[arg(long, value_name = "FILE", requires = "drawing")]
        samples: Option<PathBuf>,

        /// Where to draw those
        #[arg(long, value_name = "FILE", requires = "samples")]
        drawing: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::say(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(mut cli: Cli) -> Result<()> {
    if let Command::Conformance { args, .. } = &mut cli.command
        && let Some(os) = Os::take_from(args).map_err(Error::msg)?
    {
        cli.os = os;
    }
    let workspace = Workspace::load(cli.install, cli.os)?;
    match cli.command {
        Command::Guests => guests::build(&workspace, cli.guest_toolchain).map(drop),
        Command::New { folder } => new::lay_out(&workspace, &folder),
        Command::Test { cargo_args } => test::run(&workspace, cli.guest_toolchain, &cargo_args),
        Command::Conformance { faults: true, .. } => conformance::find_faults(&workspace),
        Command::Conformance { faults: false, args } => {
            conformance::run(&workspace, cli.guest_toolchain, &args)
        }
        Command::Bench { options } => bench::run(&workspace, cli.guest_toolchain, &options),
        Command::Runtimes { runtimes } => runtimes::run(&workspace, cli.guest_toolchain, &runtimes),
        Command::Guide => guide::run(&workspace, cli.guest_toolchain),
        Command::PluginHost { screenshot: Some(file), .. } => {
            let file = file.unwrap_or_else(|| workspace.root.join("docs/plugin-host.png"));
            plugin_host::picture(&workspace, cli.guest_toolchain, &file)
        }
        Command::PluginHost { load: Some(seconds), .. } => {
            plugin_host::load(&workspace, cli.guest_toolchain, seconds.unwrap_or(60))
        }
        Command::PluginHost { listen, .. } => plugin_host::run(&workspace, cli.guest_toolchain, &listen),
        Command::Judges { javascript } => {
            if !javascript {
                judges::run(&workspace)?;
            }
            node_judges::run(&workspace, cli.guest_toolchain)
        }
        Command::Platforms { library, link, run, targets } => {
            let depth = match (library, link, run) {
                (_, _, true) => Depth::Run,
                (_, true, false) => Depth::Link,
                (true, false, false) => Depth::Library,
                (false, false, false) => Depth::Check,
            };
            platforms::run(&workspace, cli.guest_toolchain, depth, &targets)
        }
        Command::Package => package::run(&workspace),
        Command::Python { check, bench } => {
            python::build(&workspace)?;
            if check {
                python::check_types(&workspace)?;
            }
            bench.map_or(Ok(()), |against| python_bench::run(&workspace, &against))
        }
        Command::Javascript { plugin, output: Some(output), .. } => {
            javascript::build_plugin(&workspace, cli.guest_toolchain, &plugin, &output)
        }
        Command::Javascript { check, .. } => {
            javascript::build(&workspace, cli.guest_toolchain, Profile::Quick)?;
            if check { javascript::check_types(&workspace) } else { Ok(()) }
        }
        Command::UvRun { quick, python, javascript } => {
            let profile = if quick { Profile::Quick } else { Profile::Release };
            let python = python.then(|| python::build(&workspace)).transpose()?;
            let javascript = javascript
                .then(|| javascript::build(&workspace, cli.guest_toolchain, profile))
                .transpose()?;
            uv_run::provide(&workspace, profile, [python, javascript].into_iter().flatten())
        }
        Command::Demo { python: true, .. } => demo::run_python(&workspace),
        Command::Demo { javascript: true, .. } => demo::run_javascript(&workspace, cli.guest_toolchain),
        Command::Demo { http: true, .. } => demo::run_http(&workspace, cli.guest_toolchain),
        Command::Demo { .. } => demo::run(&workspace, cli.guest_toolchain),
        Command::Fuzz { minutes, target } => fuzz::run(&workspace, minutes, target.as_deref()),
        Command::Soak { samples: Some(samples), drawing: Some(drawing), plugins, .. } => {
            soak::judge(&samples, &drawing, plugins)
        }
        Command::Soak { minutes, plugins, .. } => {
            soak::run(&workspace, cli.guest_toolchain, minutes, plugins)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Also where an environment variable gives an option of all commands.
    #[test]
    fn faults_are_shown_without_options_of_a_comparison() {
        let parse = |args: &[&str]| Cli::try_parse_from([&["xtask"], args].concat());
        assert!(parse(&["--install", "conformance", "--faults"]).is_ok());
        assert!(parse(&["conformance", "--faults", "--programs", "1"]).is_err());
    }
}
