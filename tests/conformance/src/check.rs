//! The check as a command: runs many programs on all sides, in several processes, because signals
//! belong to a process.

use crate::{Core, Coverage, Difference, Native, differ, generate, shrink};
use clap::Args;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use uv_handles_conformance_program::{Kind, Outcome, Program, interpret, script};

/// The options of the check.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How many programs are made and compared
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub programs: u64,

    /// The first program's seed; those of the others follow. Without it a fresh one
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,

    /// Processes that share the work; as many as there are processors unless set
    #[arg(long, value_name = "N")]
    pub jobs: Option<u64>,

    /// Compares the program of a script, or of each `.txt` file in a directory, before all others
    #[arg(long, value_name = "FILE")]
    pub replay: Vec<PathBuf>,

    /// Uses handles of these kinds only
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kind)]
    pub kinds: Vec<Kind>,

    /// Makes guarded programs only, which never wait for what nothing brings
    #[arg(long)]
    pub guarded: bool,

    /// Prints how often each step occurred with each kind of handle in each kind of callback
    #[arg(long)]
    pub coverage: bool,

    /// Only counts what differs
    #[arg(long)]
    pub count: bool,

    /// Prints every program's seed and libuv's trace
    #[arg(long)]
    pub trace: bool,

    /// Which of the processes this is
    #[arg(long, hide = true)]
    pub worker: Option<u64>,
}

fn kind(name: &str) -> Result<Kind, String> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| "no such kind of handle".into())
}

/// A further side: its name, and the function that runs a program on it. The result is none if the
/// program uses features that the side does not have.
pub type Other<'a> = (&'static str, Box<dyn FnMut(&Program) -> Option<Outcome> + 'a>);

/// The number of differing programs that one process shrinks and prints.
const PRINTED: u64 = 3;

/// The least number of times that each step has to occur ...
const OFTEN: u64 = 50;

/// ... in this many programs.
const IN_PROGRAMS: u64 = 20_000;

/// The beginning of a worker's last lines.
const SUMMARY: &str = "== summary ";

/// Runs programs on libuv, on the core and on the other sides, and prints the differences.
///
/// # Errors
///
/// An error in the command: a script that cannot be read.
pub fn check(options: &Options, others: Vec<Other<'_>>) -> Result<ExitCode, String> {
    let mut sides = Sides { compared: vec![0; others.len()], others };
    let mut differing = 0;
    let replayed = match options.worker {
        None => scripts(&options.replay)?,
        Some(_) => Vec::new(),
    };
    for (name, program) in &replayed {
        if let Some(difference) = sides.difference(program, options.trace).0 {
            differing += 1;
            println!("{name} differs:\n{difference}");
        }
    }
    if !replayed.is_empty() {
        println!("replayed: {}, differing: {differing}", replayed.len());
    }
    let kinds = if options.kinds.is_empty() { &Kind::ALL[..] } else { &options.kinds };
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..1 << 48));
    let jobs = options.jobs.unwrap_or_else(processors).clamp(1, options.programs.max(1));
    let mut coverage = Coverage::new(kinds);
    if let Some(worker) = options.worker {
        let seeds = (worker..options.programs).step_by(jobs as usize).map(|at| seed.wrapping_add(at));
        differing = sides.work(seeds, kinds, options, &mut coverage);
        println!("{SUMMARY}{differing} {} {}", sides.write(), coverage.write());
        return Ok(ExitCode::SUCCESS);
    }
    if options.programs > 0 {
        println!("{} programs from seed {seed} in {jobs} processes", options.programs);
        sides.compared.fill(0);
        differing += share(seed, jobs, &mut sides, &mut coverage)?;
        for ((name, _), compared) in sides.others.iter().zip(&sides.compared) {
            println!("compared with the {name}: {compared}");
        }
        if options.coverage {
            print!("{}", coverage.table());
        }
    }
    let rare = coverage.rarer_than(OFTEN * options.programs / IN_PROGRAMS);
    let enough = options.programs < IN_PROGRAMS || rare.is_empty();
    if !enough {
        println!("too rare, with fewer than {OFTEN} in {IN_PROGRAMS} programs:\n  {}", rare.join("\n  "));
    }
    println!("programs: {}, differing: {differing}", options.programs);
    Ok(if differing == 0 && enough { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn processors() -> u64 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u64)
}

/// The programs of files and directories, with their names.
fn scripts(paths: &[PathBuf]) -> Result<Vec<(String, Program)>, String> {
    let mut files = Vec::new();
    for path in paths {
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).map_err(failed)?;
        let entries: Vec<_> = entries.collect::<Result<_, _>>().map_err(failed)?;
        let mut inside: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
        inside.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
        inside.sort();
        files.extend(inside);
    }
    files
        .into_iter()
        .map(|file| {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(&file).map_err(|error| format!("{name}: {error}"))?;
            let program = script::parse(&text).map_err(|error| format!("{name}: {error}"))?;
            Ok((name, program))
        })
        .collect()
}

struct Sides<'a> {
    others: Vec<Other<'a>>,
    /// The number of programs that each of them has run.
    compared: Vec<u64>,
}

impl Sides<'_> {
    /// The first difference between libuv and another side, and how it ran on libuv.
    fn difference(&mut self, program: &Program, trace: bool) -> (Option<Difference>, Outcome) {
        let native = interpret(program, |on_called| Native::new(program, on_called));
        if trace {
            println!("{program}{}\n", native.trace.join("\n"));
        }
        let core = interpret(program, |on_called| Core::new(program, on_called));
        let mut difference = differ("core", &native.trace, &core.trace);
        for ((name, run), compared) in self.others.iter_mut().zip(&mut self.compared) {
            if difference.is_none()
                && let Some(outcome) = run(program)
            {
                *compared += 1;
                difference = differ(name, &native.trace, &outcome.trace);
            }
        }
        (difference, native)
    }

    /// The comparison's results, as text for another process.
    fn write(&self) -> String {
        self.compared.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
    }

    /// Adds the results of another process.
    fn read(&mut self, written: &str) {
        for (compared, more) in self.compared.iter_mut().zip(written.split(',')) {
            *compared += more.parse::<u64>().unwrap_or(0);
        }
    }

    fn work(
        &mut self,
        seeds: impl Iterator<Item = u64>,
        kinds: &[Kind],
        options: &Options,
        coverage: &mut Coverage,
    ) -> u64 {
        let mut differing = 0;
        for seed in seeds {
            let program = generate(seed, kinds, options.guarded);
            if options.trace {
                println!("seed {seed}");
            }
            let (difference, native) = self.difference(&program, options.trace);
            coverage.add(&native.count);
            if difference.is_none() {
                continue;
            }
            differing += 1;
            if differing <= PRINTED && !options.count {
                let small = shrink(&program, |program| self.difference(program, false).0.is_some());
                let difference = self.difference(&small, false).0.or(difference);
                let shown = difference.map(|difference| difference.to_string()).unwrap_or_default();
                println!("the program of seed {seed} differs:\n{small}{shown}");
            }
        }
        differing
    }
}

/// Runs this program in several processes, and adds up their results.
fn share(seed: u64, jobs: u64, sides: &mut Sides<'_>, coverage: &mut Coverage) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let workers = (0..jobs).map(|worker| {
        let more = [format!("--seed={seed}"), format!("--jobs={jobs}"), format!("--worker={worker}")];
        // The last one of repeated options has precedence.
        Command::new(&program).args(std::env::args_os().skip(1)).args(more).stdout(Stdio::piped()).spawn()
    });
    let workers: Vec<Child> = workers.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let mut differing = 0;
    for mut worker in workers {
        let mut summary = None;
        for line in BufReader::new(worker.stdout.take().expect("it is a pipe")).lines() {
            let line = line.map_err(|error| error.to_string())?;
            match line.strip_prefix(SUMMARY) {
                Some(found) => summary = Some(found.to_owned()),
                None => println!("{line}"),
            }
        }
        let status = worker.wait().map_err(|error| error.to_string())?;
        let summary = summary.ok_or(format!("a process died ({status}); `--jobs 1 --trace` shows where"))?;
        let (count, counted) = summary.split_once(' ').unwrap_or((&summary, ""));
        let (compared, counted) = counted.split_once(' ').unwrap_or((counted, ""));
        differing += count.parse::<u64>().unwrap_or(1);
        sides.read(compared);
        coverage.read(counted);
    }
    Ok(differing)
}
