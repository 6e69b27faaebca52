//! `cargo xtask guide`: follows docs/guest.md literally.
//!
//! In the order of the page, each block in the language `rust` is written to the file that the line
//! before it names (`src/main.rs`:). Each line of a `console` block that begins with `$ ` is run by a
//! shell, in the folder in which the previous command ended. The lines below a command are its exact
//! output. Blocks in the languages `rs`, `sh`, `toml` and `wit` are for
//! the reader here; `cargo xtask new --check` builds and runs those about plugins.
//!
//! Three things differ from a reader's machine. `uv-run` is built beforehand, because installing it
//! compiles wasmtime. The path of the SDK is this repository's. Cargo builds offline, with this
//! workspace's Cargo.lock and in the folder where all guests are built.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::process::{self, say};
use crate::profile::Profile;
use crate::toolchain::{Target, Toolchain, Way};
use crate::uv_run;
use crate::workspace::Workspace;

const PAGE: &str = "docs/guest.md";

/// The name of the repository on the page.
const CHECKOUT: &str = "uv-handles";

/// The command that installs uv-run.
const INSTALL: &str = "cargo install --locked --path uv-handles/host/cli";

/// One step of the page.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Write this program to this file.
    Write { file: String, content: String },
    /// Run this command and compare its output.
    Run { command: String, prints: String },
}

/// Builds uv-run and follows the page.
pub fn run(workspace: &Workspace, forced: Option<Way>) -> Result<()> {
    let toolchain = Toolchain::ensure(workspace, Target::Wasip2, forced)?;
    let uv_run = uv_run::build(workspace, Profile::Quick)?;
    let page = fs::read_to_string(workspace.root.join(PAGE)).context("cannot read the page")?;
    let steps = steps(&page).with_context(|| format!("{PAGE} cannot be followed"))?;
    say(format_args!("following {PAGE}: {} steps", steps.len()));
    let empty = tempfile::tempdir()?;
    let mut reader = Reader { workspace, toolchain, uv_run, place: empty.path().to_owned(), project: None };
    for step in &steps {
        reader
            .follow(step)
            .with_context(|| format!("{PAGE} does not work as it says, at the step {step:#?}"))?;
    }
    reader.tidy_up()
}

/// A reader who follows the page.
struct Reader<'a> {
    workspace: &'a Workspace,
    toolchain: Toolchain,
    uv_run: PathBuf,
    /// The current folder.
    place: PathBuf,
    /// The folder of the page's project, once it exists.
    project: Option<PathBuf>,
}

impl Reader<'_> {
    fn follow(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Write { file, content } => Ok(fs::write(self.place.join(file), content)?),
            // uv-run has been built already.
            Step::Run { command, .. } if command == INSTALL => Ok(()),
            Step::Run { command, prints } => {
                let printed = self.shell(command)?;
                ensure!(printed == *prints, "it prints:\n{printed}");
                self.share_target_directory()
            }
        }
    }

    /// Runs a command, follows its changes of folder, and returns its output.
    fn shell(&mut self, command: &str) -> Result<String> {
        let sdk = self.workspace.root.join("guest-sdk");
        let command = command.replace(&format!("../{CHECKOUT}/guest-sdk"), &sdk.to_string_lossy());
        say(format_args!("$ {command}"));
        let mut shell = self.toolchain.shell(&[self.uv_run.parent().context("a program has a folder")?])?;
        // The last line of the output is the folder.
        shell.arg("-ec").arg(format!("{command}\npwd")).current_dir(&self.place);
        offline_in_project(&mut shell).stdin(Stdio::null());
        let mut printed = process::output(&mut shell)?;
        let place = printed.split_off(printed.rfind('\n').map_or(0, |end| end + 1));
        self.place = place.into();
        Ok(printed)
    }

    /// Once the project exists, makes it build where all guests are built, with the same crates.
    fn share_target_directory(&mut self) -> Result<()> {
        if self.project.is_none() && self.place.join("Cargo.toml").is_file() {
            share_target_directory(self.workspace, &self.toolchain, &self.place)?;
            self.project = Some(self.place.clone());
        }
        Ok(())
    }

    /// Removes the page's project from the shared folder.
    fn tidy_up(self) -> Result<()> {
        let project = self.project.context("the page makes no project")?;
        let name = project.file_name().context("it has a name")?.to_string_lossy().into_owned();
        let mut shell = self.toolchain.shell(&[])?;
        let clean =
            format!("cargo clean --quiet --release --target {} --package {name}", Target::Wasip2.triple());
        process::run(offline_in_project(shell.arg("-ec").arg(clean)).current_dir(project))
    }
}

/// Makes a project build where all guests are built, with the same crates.
pub fn share_target_directory(workspace: &Workspace, toolchain: &Toolchain, project: &Path) -> Result<()> {
    fs::create_dir_all(toolchain.build_dir())?;
    symlink(toolchain.build_dir(), project.join("target"))?;
    fs::copy(workspace.root.join("Cargo.lock"), project.join("Cargo.lock"))?;
    Ok(())
}

/// Cargo does not use the network, and builds in the project's `target`, as for a reader: the page names
/// what it finds there.
pub fn offline_in_project(shell: &mut Command) -> &mut Command {
    shell.env("CARGO_NET_OFFLINE", "true").env_remove("CARGO_TARGET_DIR").env_remove("CARGO_BUILD_TARGET_DIR")
}

/// Returns the steps of a page.
fn steps(page: &str) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut lines = page.lines();
    let mut before = "";
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            if !line.is_empty() {
                before = line;
            }
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match language {
            "rust" => {
                let file = before.strip_prefix('`').and_then(|rest| rest.strip_suffix("`:"));
                let file = file.with_context(|| format!("no file for the program after {before:?}"))?;
                steps.push(Step::Write { file: file.to_owned(), content: block.join("\n") + "\n" });
            }
            "console" => steps.extend(commands(&block)?),
            "rs" | "sh" | "toml" | "wit" => {}
            other => bail!("there is a block in the language {other:?}"),
        }
    }
    Ok(steps)
}

/// Returns the commands of a console block, each with its output.
fn commands(block: &[&str]) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for line in block {
        if let Some(command) = line.strip_prefix("$ ") {
            let command = command.split(" # ").next().unwrap_or_default().trim_end().to_owned();
            steps.push(Step::Run { command, prints: String::new() });
        } else if let Some(Step::Run { prints, .. }) = steps.last_mut() {
            prints.push_str(line);
            prints.push('\n');
        } else {
            bail!("{line:?} stands before the first command");
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_page_is_read_in_its_order() {
        let page = "# Title\n\n```console\n$ cargo new a && cd a   # a comment\n```\n\n`src/main.rs`:\n\n\
                    ```rust\nfn main() {}\n```\n\n```rs\nshown\n```\n\n```console\n$ one\n1\n2\n$ two\n```\n";
        let run = |command: &str, prints: &str| Step::Run { command: command.into(), prints: prints.into() };
        let expected = [
            run("cargo new a && cd a", ""),
            Step::Write { file: "src/main.rs".into(), content: "fn main() {}\n".into() },
            run("one", "1\n2\n"),
            run("two", ""),
        ];
        assert_eq!(steps(page).unwrap(), expected);
    }

    #[test]
    fn a_page_that_cannot_be_followed_is_an_error() {
        for page in ["```rust\nfn main() {}\n```\n", "```console\nprinted\n```\n", "```text\n```\n"] {
            assert!(steps(page).is_err(), "{page}");
        }
    }

    #[test]
    fn the_page_says_how_to_install_uv_run() {
        let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PAGE)).unwrap();
        assert_eq!(steps(&page).unwrap()[0], Step::Run { command: INSTALL.into(), prints: String::new() });
    }
}
