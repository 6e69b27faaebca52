//! Results of the programs, and statistics over them.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::machine::Machine;
use super::rows::{Figure, Of, Row, Side};

/// The result of one run of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Counts of operations. They must be equal on all sides.
    counts: BTreeMap<String, u64>,
    /// The measured figures.
    figures: BTreeMap<String, f64>,
}

impl Run {
    /// Reads the line that a program prints.
    pub fn parse(line: &str) -> Result<Run> {
        let value: Value = serde_json::from_str(line.trim())?;
        let members = |name: &str| value[name].as_object().with_context(|| format!("it has no {name}"));
        let count = |(name, value): (&String, &Value)| Some((name.clone(), value.as_u64()?));
        let figure = |(name, value): (&String, &Value)| Some((name.clone(), value.as_f64()?));
        Ok(Run {
            counts: members("counts")?
                .iter()
                .map(count)
                .collect::<Option<_>>()
                .context("counts are numbers")?,
            figures: members("figures")?
                .iter()
                .map(figure)
                .collect::<Option<_>>()
                .context("figures are numbers")?,
        })
    }

    /// A figure of it, if it has that.
    pub fn figure(&self, figure: Figure) -> Option<f64> {
        let given = |name: &str| self.figures.get(name).copied();
        let count = |name: &str| self.counts.get(name).map(|&count| count as f64);
        let grown = || Some(given("after")? - given("before")?);
        match figure {
            Figure::Cpu => Some(given("cpu_ns")? / count("operations")?),
            Figure::ThreadCpu => Some(given("thread_cpu_ns")? / count("operations")?),
            Figure::Wall => Some(given("wall_ns")? / count("operations")?),
            Figure::Given(name, _) => given(name),
            Figure::BytesPerOperation => Some(grown()? / count("operations")?),
            Figure::KibPerGuest => Some(grown()? / count("guests")? / 1024.0),
        }
    }
}

/// All runs.
#[derive(Debug, Default)]
pub struct Runs(BTreeMap<&'static str, Done>);

/// A work that has been done: its numbers, and by side the runs in order of the rounds.
#[derive(Debug, Default)]
struct Done {
    numbers: Vec<u64>,
    sides: BTreeMap<Side, Vec<Run>>,
}

impl Runs {
    /// Adds one, which must have counted what all others of the same work have.
    pub fn add(&mut self, work: &'static str, side: Side, numbers: &[u64], run: Run) -> Result<()> {
        let Done { numbers: done, sides } = self.0.entry(work).or_default();
        numbers.clone_into(done);
        if let Some((other, runs)) = sides.iter().next() {
            let expected = &runs[0].counts;
            ensure!(
                run.counts == *expected,
                "the sides do not do the same work: {} has counted {:?}, and {} {expected:?}",
                side.name(),
                run.counts,
                other.name(),
            );
        }
        sides.entry(side).or_default().push(run);
        Ok(())
    }

    /// A figure in each round.
    pub fn of(&self, (work, side): Of, figure: Figure) -> Option<Vec<f64>> {
        self.0.get(work)?.sides.get(&side)?.iter().map(|run| run.figure(figure)).collect()
    }

    /// The first of a work's numbers.
    pub fn number(&self, work: &str) -> Option<u64> {
        self.0.get(work)?.numbers.first().copied()
    }

    /// Returns the figures of a row.
    pub fn result(&self, row: &Row) -> Option<Outcome> {
        let of = self.of(row.of, row.figure)?;
        let to = match row.to {
            Some(to) => Some(self.of(to, row.figure)?),
            None => None,
        };
        let ratios = match &to {
            Some(to) => of.iter().zip(to).map(|(of, to)| of / to).collect(),
            None => of.clone(),
        };
        Some(Outcome { of: Spread::new(of)?, to: to.and_then(Spread::new), value: Spread::new(ratios)? })
    }

    /// All of it.
    pub fn to_json(&self, machine: &Machine) -> String {
        let run = |run: &Run| json!({ "counts": run.counts, "figures": run.figures });
        let works: Vec<Value> = self
            .0
            .iter()
            .flat_map(|(work, done)| done.sides.iter().map(move |(side, runs)| (work, done, side, runs)))
            .map(|(work, done, side, runs)| {
                let rounds: Vec<Value> = runs.iter().map(run).collect();
                json!({ "work": work, "numbers": done.numbers, "side": side.name(), "rounds": rounds })
            })
            .collect();
        format!("{:#}\n", json!({ "machine": machine.lines(), "works": works }))
    }
}

/// A row's figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Of whom it is.
    pub of: Spread,
    /// Of whom it is compared with.
    pub to: Option<Spread>,
    /// The judged values: the rounds' ratios, or the figure itself.
    pub value: Spread,
}

/// The median of some values, the lowest and the highest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub lowest: f64,
    pub highest: f64,
}

impl Spread {
    fn new(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_by(f64::total_cmp);
        let (lowest, highest) = (*values.first()?, *values.last()?);
        let upper = values[values.len() / 2];
        let lower = values[(values.len() - 1) / 2];
        Some(Spread { median: (lower + upper) / 2.0, lowest, highest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::Bound;

    fn run(operations: u64, cpu: f64) -> Run {
        Run::parse(&format!(
            r#"{{"counts":{{"operations":{operations}}},"figures":{{"cpu_ns":{cpu},"after":3072,"before":1024}}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn a_row_is_the_median_of_its_rounds_ratios() {
        let mut runs = Runs::default();
        for (ours, theirs) in [(100.0, 100.0), (300.0, 100.0), (800.0, 400.0)] {
            runs.add("idle", Side::Sandbox, &[10], run(10, ours)).unwrap();
            runs.add("idle", Side::Libuv, &[10], run(10, theirs)).unwrap();
        }
        let row = Row {
            title: "",
            figure: Figure::Cpu,
            of: ("idle", Side::Sandbox),
            to: Some(("idle", Side::Libuv)),
            bound: Bound::Reported,
        };
        let outcome = runs.result(&row).unwrap();
        assert_eq!(outcome.value, Spread { median: 2.0, lowest: 1.0, highest: 3.0 });
        assert_eq!(outcome.of.median, 30.0);
        assert_eq!(runs.result(&Row { to: None, ..row }).unwrap().value.median, 30.0);
        let row = Row { of: ("idle", Side::Wstd), ..row };
        assert_eq!(runs.result(&row), None, "no side has run it");
    }

    #[test]
    fn sides_that_count_differently_are_refused() {
        let mut runs = Runs::default();
        runs.add("idle", Side::Sandbox, &[10], run(10, 1.0)).unwrap();
        assert!(runs.add("idle", Side::Libuv, &[10], run(11, 1.0)).is_err());
        assert!(runs.add("phases", Side::Libuv, &[10], run(11, 1.0)).is_ok());
    }

    #[test]
    fn memory_is_what_it_has_grown_by() {
        assert_eq!(run(8, 1.0).figure(Figure::BytesPerOperation), Some(256.0));
        assert_eq!(run(8, 1.0).figure(Figure::KibPerGuest), None);
    }

    #[test]
    fn the_median_of_two_is_between_them() {
        assert_eq!(Spread::new(vec![3.0, 1.0]).unwrap().median, 2.0);
        assert_eq!(Spread::new(vec![]), None);
    }
}
