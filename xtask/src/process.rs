//! Runs other programs: progress messages, cargo, and reports of failures.

use std::env;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Announces the next step in one line. It goes to stderr, where cargo's own progress goes.
pub fn say(line: impl std::fmt::Display) {
    eprintln!("xtask: {line}");
}

/// The cargo that runs this program, without what it set for this program alone.
pub fn cargo() -> Command {
    clean(Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())))
}

/// The cargo of rustup's nightly toolchain.
pub fn nightly_cargo() -> Command {
    // The program of this name is rustup's, unlike the one above.
    let mut command = clean(Command::new("cargo"));
    command.arg("+nightly").env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTUP_TOOLCHAIN");
    command
}

fn clean(mut command: Command) -> Command {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// The rustc that belongs to [`cargo`].
pub fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// Runs a command to its end, its output on the terminal.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a command to its end with this standard input, its output on the terminal.
pub fn run_with_input(command: &mut Command, input: &[u8]) -> Result<()> {
    let child = command.stdin(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("cannot start `{}`", shown(command)))?;
    let mut stdin = child.stdin.take().context("no pipe to a command")?;
    let written = stdin.write_all(input);
    drop(stdin);
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    written.with_context(|| format!("`{}` does not read its input", shown(command)))
}

/// Runs a command and returns its standard output without the last newline.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        bail!("`{}` failed ({})", shown(command), output.status);
    }
    let text =
        String::from_utf8(output.stdout).with_context(|| format!("`{}` printed no UTF-8", shown(command)))?;
    Ok(text.trim_end().to_owned())
}

/// A command as one would type it, for messages.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let words = program.file_name().into_iter().chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}
