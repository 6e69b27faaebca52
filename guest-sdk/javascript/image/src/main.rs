//! `uv-javascript-image IN.wasm OUT.wasm [FILE]...`: runs the initialization of the JavaScript
//! runtime, and stores the instance as a component.
//!
//! The files are those of a plugin: its script, and the modules that it imports from its directory.
//! `cargo xtask javascript` starts this program.

mod instance;
mod rewrite;

use std::path::Path;
use std::process::ExitCode;

use wasmtime::error::Context;
use wasmtime::{Result, bail};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("uv-javascript-image: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let [input, output, files @ ..] = &args[..] else {
        bail!("usage: uv-javascript-image IN.wasm OUT.wasm [FILE]...");
    };
    let (input, output) = (Path::new(input), Path::new(output));
    let component = read(input)?;
    let files: Vec<_> = files.iter().map(|file| named(Path::new(file))).collect::<Result<_>>()?;
    let memory = instance::prepared(&component, &files)?;
    let image = rewrite::with_memory(&component, &memory)?;
    std::fs::write(output, image).with_context(|| format!("cannot write {}", output.display()))
}

/// A file's name without its directory, and its bytes.
fn named(file: &Path) -> Result<(String, Vec<u8>)> {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("{} has no name in UTF-8", file.display()))?;
    Ok((name.to_owned(), read(file)?))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
