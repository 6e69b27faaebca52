//! `cargo xtask new PATH`: lays out a plugin in a new folder.
//!
//! docs/guest.md, "Writing a plugin", shows the same files.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::guide::{offline_in_project, share_target_directory};
use crate::process::{self, say};
use crate::toolchain::{Target, Toolchain, Way};
use crate::workspace::Workspace;

/// The name of the plugin in the template.
const NAME: &str = "my-plugin";

/// The path of the SDK in the template.
const SDK: &str = "../uv-handles/guest-sdk/rust";

/// The files of the template, by their paths in the new folder.
const FILES: [(&str, &str); 3] = [
    ("Cargo.toml", include_str!("../template/plugin/manifest.toml")),
    ("wit/world.wit", include_str!("../template/plugin/world.wit")),
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
    say(format_args!("a plugin is in {}. In that folder:", folder.display()));
    say(format_args!("  cargo test                                      tests it, in virtual time"));
    say(format_args!("  cargo build --release --target wasm32-wasip2    builds the component"));
    Ok(())
}

/// Cargo and WIT both take names of lower-case words and digits with hyphens between them.
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

/// Lays out a plugin in an empty folder, builds it as a component, and runs its tests.
pub fn check(workspace: &Workspace, forced: Option<Way>) -> Result<()> {
    let toolchain = Toolchain::ensure(workspace, Target::Wasip2, forced)?;
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
    run(&format!("cargo build --quiet --release --target {triple}"))?;
    let component = folder.join("target").join(triple).join("release/template_check.wasm");
    let component = fs::read(&component).with_context(|| format!("cannot read {}", component.display()))?;
    // The name of the export stands in the component.
    let export = b"uv:handles/plugin-events@0.2.0";
    ensure!(component.windows(export.len()).any(|bytes| bytes == export), "the component is no plugin");
    // On the machine itself, with the compiler that is in use.
    let mut test = process::cargo();
    process::run(offline_in_project(test.args(["test", "--quiet"])).current_dir(&folder))?;
    run(&format!("cargo clean --quiet --release --target {triple} --package {name}"))
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
    fn a_name_is_one_for_cargo_and_for_wit() {
        for name in ["a", "my-plugin", "h2-probe"] {
            check_name(name).unwrap();
        }
        for name in ["", "-", "My", "a_b", "a--b", "2a", "a-2", "a b", "é", "..", "a\"", &"a".repeat(65)] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
