//! `cargo xtask bench`: a guest in the sandbox beside native libuv and others, each doing the same work.
//!
//! Every run of a side is a process of its own ([`programs`]). The sides take turns within a round,
//! so that a disturbance of the machine affects all of them; a row's figure is the median of its
//! rounds' ratios ([`runs`]).

mod machine;
mod plot;
mod programs;
mod report;
mod rows;
mod runs;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use self::machine::Machine;
use self::programs::Programs;
use self::report::Report;
use self::rows::{Side, Work, work_of};
use self::runs::Runs;
use crate::process::say;
use crate::profile::Profile;
use crate::toolchain::Way;
use crate::workspace::Workspace;

/// Where docs/performance.md has its table.
const DOCUMENT: &str = "docs/performance.md";

/// How the benchmark is to be run.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Little work and few rounds, for a first look: at most three minutes
    #[arg(long)]
    quick: bool,

    /// How many rounds; 7 unless set, 3 in a quick run
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,

    /// Show the rows, and run nothing
    #[arg(long)]
    list: bool,

    /// Put the table into docs/performance.md
    #[arg(long)]
    write_docs: bool,

    /// Measure the profile that the tests use, in which calls cost more, instead of the one that ships
    #[arg(long)]
    test_profile: bool,

    /// Draw no charts
    #[arg(long = "no-drawings", action = clap::ArgAction::SetFalse)]
    drawings: bool,

    /// Only the rows of these works (see `--list`), and those with such words in their title
    #[arg(value_name = "ROW")]
    only: Vec<String>,
}

impl Options {
    /// A run that shows that every side does the same work.
    pub fn check() -> Options {
        Options {
            quick: true,
            rounds: Some(1),
            list: false,
            write_docs: false,
            drawings: false,
            test_profile: true,
            only: Vec::new(),
        }
    }

    fn profile(&self) -> Profile {
        if self.test_profile { Profile::Quick } else { Profile::Release }
    }

    fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 3 } else { 7 })
    }

    /// The rows that are wanted.
    fn rows(&self) -> Vec<&'static rows::Row> {
        let is_named =
            |row: &rows::Row| self.only.iter().any(|only| row.of.0 == only || row.title.contains(only));
        let wanted = |row: &rows::Row| self.only.is_empty() || is_named(row);
        rows::ROWS.iter().filter(|row| wanted(row)).collect()
    }
}

/// Builds everything, runs it, and reports.
pub fn run(workspace: &Workspace, forced: Option<Way>, options: &Options) -> Result<()> {
    let rows = options.rows();
    ensure!(!rows.is_empty(), "no row has {} in its title", options.only.join(" or "));
    if options.list {
        rows.iter().for_each(|row| println!("{}: {}", row.of.0, row.title));
        return Ok(());
    }
    let dir = workspace.target_dir.join("bench");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let programs = Programs::build(workspace, forced, options.profile(), &dir)?;
    let machine = Machine::describe()?;

    let turns = turns(&rows, options.only.is_empty());
    let begun = Instant::now();
    let mut runs = Runs::default();
    for round in 0..options.rounds() {
        say(format_args!("round {} of {}", round + 1, options.rounds()));
        for (work, sides) in &turns {
            for side in rotated(sides, round) {
                let numbers = programs.numbers(work, options.quick);
                let run = programs
                    .run(work, side, &numbers)
                    .with_context(|| format!("{} {numbers:?} by {}", work.id, side.name()))?;
                runs.add(work.id, side, &numbers, run)?;
            }
        }
    }

    let report = Report::new(&rows, &runs, machine, options, begun.elapsed());
    println!("{}", report.table());
    let file = dir.join("report.md");
    write(&file, &report.page())?;
    write(&dir.join("raw.json"), &runs.to_json(report.machine()))?;
    let drawn = if options.drawings { plot::draw_all(&runs, &dir)? } else { 0 };
    say(format_args!("written to {}, with raw.json and {drawn} drawings beside it", file.display()));
    if options.write_docs {
        ensure!(
            !options.quick && !options.test_profile && options.only.is_empty() && options.drawings,
            "the document shows a full run"
        );
        write_docs(workspace, &report, &dir)?;
    }
    Ok(())
}

/// The works, and the sides that do each: all of them, or those that some rows are about.
fn turns(rows: &[&rows::Row], whole: bool) -> Vec<(&'static Work, Vec<Side>)> {
    if whole {
        return rows::WORKS.iter().map(|work| (work, work.sides.to_vec())).collect();
    }
    let mut turns = Vec::<(&'static Work, Vec<Side>)>::new();
    for (id, side) in rows.iter().flat_map(|row| [Some(row.of), row.to]).flatten() {
        match turns.iter_mut().find(|(work, _)| work.id == id) {
            Some((_, sides)) if sides.contains(&side) => {}
            Some((_, sides)) => sides.push(side),
            None => turns.push((work_of(id), vec![side])),
        }
    }
    turns
}

/// The sides, each round beginning with another one.
fn rotated(sides: &[Side], round: u32) -> impl Iterator<Item = Side> {
    let first = round as usize % sides.len();
    sides[first..].iter().chain(&sides[..first]).copied()
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Puts the report between the document's marks, and the drawings beside it.
fn write_docs(workspace: &Workspace, report: &Report<'_>, dir: &Path) -> Result<()> {
    const BEGIN: &str = "<!-- cargo xtask bench --write-docs: from here";
    const END: &str = "<!-- to here -->";
    let file = workspace.root.join(DOCUMENT);
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let Some((before, rest)) = text.split_once(BEGIN) else { bail!("{DOCUMENT} has no mark") };
    let Some((mark, rest)) = rest.split_once('\n') else { bail!("the mark of {DOCUMENT} has no end") };
    let Some((_, after)) = rest.split_once(END) else { bail!("{DOCUMENT} has no second mark") };
    write(&file, &format!("{before}{BEGIN}{mark}\n\n{}\n{END}{after}", report.body()))?;
    let images: PathBuf = workspace.root.join("docs/images");
    for plot in rows::PLOTS {
        let name = format!("{}.svg", plot.file);
        let to = images.join(format!("performance-{name}"));
        fs::copy(dir.join(name), &to).with_context(|| format!("cannot write {}", to.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_side_of_a_work_takes_its_turn_at_each_place() {
        let sides = [Side::Sandbox, Side::Libuv, Side::Tokio];
        let firsts: Vec<Side> = (0..3).filter_map(|round| rotated(&sides, round).next()).collect();
        assert_eq!(firsts, sides);
        assert_eq!(rotated(&sides, 4).count(), 3);
    }

    #[test]
    fn some_rows_need_their_works_and_sides_alone() {
        let options = Options { only: vec!["ping-pong".into()], ..Options::check() };
        let turns = turns(&options.rows(), false);
        let [(work, sides)] = &turns[..] else { panic!("{turns:?}") };
        assert_eq!(work.id, "ping-pong");
        assert_eq!(sides[..2], [Side::Sandbox, Side::Libuv]);
    }
}
