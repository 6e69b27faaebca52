//! `cargo xtask new PATH`: lays out a plugin in a new folder.
//!
//! docs/guest.md, "Writing a plugin", shows the same files.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::guide::{offline_in_project, share_target_directory};
use crate::process::{self, say};
use crate::profile::Profile;
use crate::toolchain::{Target, Toolchain, Way};
use crate::uv_run;
use crate::workspace::Workspace;

/// The name of the plugin in the template.
const NAME: &str = "my-plugin";

/// The path of the SDK in the template.
const SDK: &str = "../uv-handles/guest-sdk/rust";

/// The files of the template, by their paths in the new folder.
const FILES: [(&str, &str); 2] = [
    ("Cargo.toml", include_str!("../template/plugin/manifest.toml")),
    ("src/lib.rs", include_str!("../template/plugin/lib.rs")),
];

/// Lays out a plugin in this folder, which is made. The last part of the path is its name.
pub fn lay_out(workspace: &Workspace, folder: &Path) -> Result<()> {
    let name =
        folder.file_name().and_then(|name| name.to_str()).context("the path has no name at its end")?;
    check_name(name)?;
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} exists and is not empty", folder.display());
    }
    let sdk = workspace.root.join("guest-sdk/rust");
    let sdk = sdk.to_str().context("the path of the SDK is not UTF-8")?;
    ensure!(!sdk.contains(['"', '\\', '\n']), "the path of the SDK cannot stand in a manifest");
    for (file, content) in FILES {
        let file = folder.join(file);
        let parent = file.parent().context("a file is in a folder")?;
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        fs::write(&file, content.replace(NAME, name).replace(SDK, sdk))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    let component = name.replace('-', "_");
    say(format_args!("a plugin is in {}. In that folder:", folder.display()));
    say(format_args!("  cargo test                                      tests it, in virtual time"));
    say(format_args!("  cargo build --release --target wasm32-wasip2    builds the component"));
    say(format_args!("  uv-run --wake stop=int target/wasm32-wasip2/release/{component}.wasm"));
    say(format_args!("                                                  runs it, until Ctrl-C"));
    Ok(())
}

/// Cargo takes names of lower-case words and digits with hyphens between them.
fn check_name(name: &str) -> Result<()> {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit())
    };
    ensure!(
        name.len() <= 64 && name.split('-').all(is_word),
        "{name:?} is no name for a plugin: use lower-case words with hyphens between them"
    );
    Ok(())
}

/// Lays out a plugin in an empty folder, builds it as a component, runs it and its tests, and builds the
/// other plugins of the page.
pub fn check(workspace: &Workspace, forced: Option<Way>) -> Result<()> {
    let toolchain = Toolchain::ensure(workspace, Target::Wasip2, forced)?;
    let uv_run = uv_run::build(workspace, Profile::Quick)?;
    let empty = tempfile::tempdir()?;
    let name = "template-check";
    let folder = empty.path().join(name);
    lay_out(workspace, &folder)?;
    share_target_directory(workspace, &toolchain, &folder)?;
    let triple = Target::Wasip2.triple();
    let run = |command: &str| {
        say(format_args!("$ {command}"));
        let mut shell = toolchain.shell(&[])?;
        process::run(offline_in_project(shell.arg("-ec").arg(command)).current_dir(&folder))
    };
    let build = format!("cargo build --quiet --release --target {triple}");
    run(&build)?;
    let component = folder.join("target").join(triple).join("release/template_check.wasm");
    ticks_until_it_is_stopped(&uv_run, &component)?;
    // On the machine itself, with the compiler that is in use.
    let mut test = process::cargo();
    process::run(offline_in_project(test.args(["test", "--quiet"])).current_dir(&folder))?;

    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    let (package, _) = text.split_once("[dependencies]").context("the template has dependencies")?;
    let sdk = workspace.root.join("guest-sdk/rust");
    let dependencies = format!(
        "[dependencies]\nuv-handles = {{ path = {sdk:?}, features = [\"concurrent\"] }}\nwit-bindgen = {{ \
         version = \"0.61\", default-features = false, features = [\"macros\", \"async\", \"realloc\"] }}\n\n\
         [workspace]\n"
    );
    fs::write(&manifest, format!("{package}{dependencies}"))?;
    let page = fs::read_to_string(workspace.root.join("docs/guest.md")).context("cannot read the page")?;
    for heading in ["### Exports of your own", "### The life of a plugin", "## Async functions"] {
        say(format_args!("building the program below {heading:?} of docs/guest.md"));
        fs::write(folder.join("src/lib.rs"), program_below(&page, heading)?)?;
        run(&build).with_context(|| format!("the program below {heading:?} does not build"))?;
    }
    run(&format!("cargo clean --quiet --release --target {triple} --package {name}"))
}

/// Runs the template's component with uv-run, up to its first line and until it has stopped by itself.
fn ticks_until_it_is_stopped(uv_run: &Path, component: &Path) -> Result<()> {
    say(format_args!("$ uv-run --wake stop=int {} hello", component.display()));
    let mut command = Command::new(uv_run);
    command.args(["--wake", "stop=int"]).arg(component).arg("hello").stdout(Stdio::piped());
    let mut child = command.spawn().context("uv-run does not start")?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("it is piped")?).read_line(&mut line)?;
    kill_process(Pid::from_child(&child), Signal::INT)?;
    let status = child.wait()?;
    ensure!(line == "hello\n", "the plugin printed {line:?}");
    ensure!(status.success(), "the plugin did not end by itself: {status}");
    Ok(())
}

/// Returns the first program in Rust below a heading of a page.
fn program_below<'a>(page: &'a str, heading: &str) -> Result<&'a str> {
    let (_, below) =
        page.split_once(&format!("\n{heading}\n")).with_context(|| format!("there is no {heading:?}"))?;
    let (_, from) = below.split_once("\n```rs\n").context("there is no program")?;
    Ok(from.split("\n```\n").next().unwrap_or(from))
}

#[cfg(test)]
mod tests {
    use super::{FILES, check_name};

    #[test]
    fn the_page_shows_the_template() {
        let page = include_str!("../../docs/guest.md");
        for (file, content) in FILES {
            // The package and the workspace are of the folder that the command makes.
            let content = match file {
                "Cargo.toml" => content.split("\n\n").skip(1).collect::<Vec<_>>()[..3].join("\n\n") + "\n",
                _ => content.to_owned(),
            };
            let shown = page.contains(&format!("\n{content}```\n"));
            assert!(shown, "docs/guest.md shows another {file} than the template:\n{content}");
        }
    }

    #[test]
    fn a_name_is_one_for_cargo() {
        for name in ["a", "my-plugin", "h2-probe"] {
            check_name(name).unwrap();
        }
        for name in ["", "-", "My", "a_b", "a--b", "2a", "a-2", "a b", "é", "..", "a\"", &"a".repeat(65)] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
