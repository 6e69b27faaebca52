//! `--compose`: runs `uv-compose`.
//!
//! `uv-compose` is a program of its own: its dependencies select other features of crates that
//! wasmtime uses, so building both together would build wasmtime again.

use crate::cli::Cli;
use crate::os::process;
use clap::CommandFactory;
use clap::parser::ValueSource;
use std::env::consts::EXE_SUFFIX;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use wasmtime::Error;

/// The program's name.
const UV_COMPOSE: &str = "uv-compose";

/// Replaces this process by uv-compose, found beside this program or else in PATH. Returns only if
/// that fails.
pub fn run(guest: &Path, cli: &Cli) -> Error {
    if let Some(option) = meaningless() {
        return Error::msg(format!(
            "--{option} means nothing to --compose: nothing is granted to what does not run"
        ));
    }
    let beside =
        std::env::current_exe().map(|program| program.with_file_name(format!("{UV_COMPOSE}{EXE_SUFFIX}")));
    let program = beside.ok().filter(|file| file.is_file()).unwrap_or_else(|| UV_COMPOSE.into());
    let mut command = Command::new(program);
    if let Some(output) = &cli.output {
        command.arg("--output").arg(output);
    }
    if let Some(adapter) = &cli.adapter {
        command.arg("--adapter").arg(adapter);
    }
    let error = process::replace(command.arg("--").arg(guest));
    match error.kind() {
        ErrorKind::NotFound => Error::msg(
            "--compose needs the program uv-compose, beside uv-run or in PATH: \
             `cargo build --release -p uv-handles-compose` builds it",
        ),
        _ => Error::msg(format!("uv-compose cannot be started: {error}")),
    }
}

/// The first given option that tells how to run a guest.
fn meaningless() -> Option<String> {
    let matches = Cli::command().get_matches();
    let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let command = Cli::command();
    let mut options = command.get_opts().filter(|option| given(option.get_id().as_str()));
    options
        .find(|option| !["compose", "output", "adapter"].contains(&option.get_id().as_str()))
        .and_then(|option| option.get_long().map(str::to_owned))
}
