//! `uv-compose`: makes an ordinary WASI component of a guest. `uv-run --compose` runs it.

use anyhow::{Context, Result, bail};
use clap::Parser;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use uv_handles_compose::Adapter;

/// Makes an ordinary WASI component of a guest of uv:handles
///
/// The adapter, a component that exports uv:handles and imports WASI 0.2, is plugged into the
/// guest. The result runs on any WASI runtime. Features that the adapter does not have are reported
/// on standard error.
#[derive(Debug, Parser)]
#[command(name = "uv-compose", version, max_term_width = 100)]
struct Cli {
    /// The guest, a component
    #[arg(value_name = "GUEST.wasm")]
    guest: PathBuf,

    /// The file for the composed component
    #[arg(short, long, value_name = "OUT.wasm")]
    output: PathBuf,

    /// The adapter; without it uv-handles-adapter.wasm, or for a guest that opens descriptors
    /// uv-handles-adapter-descriptors.wasm, beside this program or in ../guests. It may be a
    /// directory, which holds files of these names
    #[arg(long, value_name = "FILE|DIR")]
    adapter: Option<PathBuf>,
}

fn main() -> ExitCode {
    match compose(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&in_one_line(&error));
            ExitCode::from(2)
        }
    }
}

fn compose(cli: &Cli) -> Result<()> {
    let guest = read(&cli.guest)?;
    let name = cli.guest.display();
    let refused = || format!("{name} cannot be composed");
    let adapter = match &cli.adapter {
        Some(dir) if dir.is_dir() => read(&dir.join(Adapter::of(&guest).with_context(refused)?.file_name()))?,
        Some(file) => read(file)?,
        None => read(&find(Adapter::of(&guest).with_context(refused)?)?)?,
    };
    let composed = uv_handles_compose::compose(&guest, &adapter).with_context(refused)?;
    for lost in &composed.lost {
        say(&format!("warning: {name} uses what the composed component does not have: {lost}"));
    }
    let output = &cli.output;
    std::fs::write(output, &composed.bytes).with_context(|| format!("{} cannot be written", output.display()))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
}

/// Finds an adapter beside the program, where packages put it, or where `cargo xtask guests` does.
fn find(adapter: Adapter) -> Result<PathBuf> {
    let program = std::env::current_exe().context("the path of this program is not known")?;
    let dir = program.parent().unwrap_or(Path::new(""));
    let file = adapter.file_name();
    let places = [dir.join(file), dir.with_file_name("guests").join(file)];
    match places.iter().find(|file| file.is_file()) {
        Some(file) => Ok(file.clone()),
        None => bail!(
            "there is no {file} in {} or {}: build it with `cargo xtask guests`, or name it with --adapter",
            dir.display(),
            dir.with_file_name("guests").display()
        ),
    }
}

/// Writes a message to standard error. A failure is ignored.
fn say(message: &str) {
    let _ = std::io::stderr().write_all(format!("uv-compose: {message}\n").as_bytes());
}

/// An error and its causes in one line.
fn in_one_line(error: &anyhow::Error) -> String {
    format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ")
}
