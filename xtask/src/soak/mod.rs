//! `cargo xtask soak`: runs guests for minutes, and checks that the host process does not grow.

mod plot;
mod plugins;
mod samples;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::guests;
use crate::process::{self, say};
use crate::profile::Profile;
use crate::toolchain::Way;
use crate::uv_run;
use crate::workspace::Workspace;

/// Builds the guests and the program, runs it for so many minutes, then judges and draws what it reported.
pub fn run(workspace: &Workspace, forced: Option<Way>, minutes: f64, plugins: Option<u32>) -> Result<()> {
    ensure!(minutes > 0.0, "a soak takes some time");
    let guests_dir = guests::build(workspace, forced)?;
    let mut command = Command::new(uv_run::build_program(workspace, Profile::Quick, "soak")?);
    command.env("UV_HANDLES_GUESTS", guests_dir);
    let name = match plugins {
        Some(count) => {
            command.args(["plugins", &count.to_string()]);
            "plugins"
        }
        None => "soak",
    };
    command.arg((minutes * 60.0).round().to_string());
    let dir = workspace.target_dir.join("soak");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let samples = dir.join(format!("{name}.jsonl"));
    let file = fs::File::create(&samples).with_context(|| format!("cannot write {}", samples.display()))?;
    say(format_args!("soaking for {minutes} minutes; samples go to {}", samples.display()));
    // The results are in the samples; a guest that fails prints to its own standard error.
    process::run(command.stdout(Stdio::from(file)))?;
    let drawing = dir.join(format!("{name}.svg"));
    judge(&samples, &drawing, plugins)
}

/// Judges and draws the samples of a run, which was one of so many plugins or of guests.
pub fn judge(samples: &Path, drawing: &Path, plugins: Option<u32>) -> Result<()> {
    if let Some(count) = plugins {
        return plugins::report(samples, drawing, count);
    }
    let text = fs::read_to_string(samples).with_context(|| format!("cannot read {}", samples.display()))?;
    let samples = samples::parse(&text).context("the samples cannot be read")?;
    plot::draw(&samples, &samples::PANELS, drawing)?;
    say(format_args!("drawn in {}", drawing.display()));
    let verdict = samples::verdict(&samples)?;
    println!("{verdict}");
    ensure!(verdict.passed(), "the process that hosts the guests grows");
    Ok(())
}
