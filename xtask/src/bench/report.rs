//! The table, and the page that it is on.

use std::fmt::Write;
use std::time::Duration;

use super::Options;
use super::machine::Machine;
use super::rows::{Bound, Figure, PLOTS, Row};
use super::runs::{Outcome, Runs, Spread};

/// The report of a benchmark.
pub struct Report<'a> {
    rows: Vec<(&'a Row, Outcome)>,
    machine: Machine,
    rounds: u32,
    quick: bool,
    took: Duration,
    has_plots: bool,
}

impl<'a> Report<'a> {
    pub fn new(
        rows: &[&'a Row],
        runs: &Runs,
        machine: Machine,
        options: &Options,
        took: Duration,
    ) -> Report<'a> {
        let rows = rows.iter().filter_map(|row| Some((*row, runs.result(row)?))).collect();
        let (rounds, quick) = (options.rounds(), options.quick);
        Report { rows, machine, rounds, quick, took, has_plots: options.drawings && options.only.is_empty() }
    }

    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The rows.
    pub fn table(&self) -> String {
        let mut table = vec![
            ["row", "measured", "of", "compared with", "ratio", "rounds", "goal", "stretch", ""]
                .map(str::to_owned),
        ];
        for (row, outcome) in &self.rows {
            let (goal, stretch) = row.bound.shown(|value| row.shown_goal(value));
            let compared = row.to.map(|to| (to, outcome.to));
            let compared = match compared {
                Some(((_, side), Some(spread))) => {
                    format!("{} {}", row.figure.shown(spread.median), side.name())
                }
                _ => String::new(),
            };
            let ratio = row.to.map(|_| number(outcome.value.median)).unwrap_or_default();
            table.push([
                row.title.to_owned(),
                row.figure.shown(outcome.of.median),
                row.of.1.name().to_owned(),
                compared,
                ratio,
                row.spread(outcome.value),
                goal,
                stretch,
                row.bound.verdict(outcome.value.median).to_owned(),
            ]);
        }
        aligned(&table)
    }

    /// The table with its context.
    pub fn body(&self) -> String {
        let mut body = String::new();
        for line in self.machine.lines() {
            writeln!(body, "- {line}").expect("strings take everything");
        }
        let minutes = self.took.as_secs_f64() / 60.0;
        let kind = if self.quick { "quick" } else { "full" };
        writeln!(body, "- a {kind} run of {} rounds, {minutes:.1} minutes\n", self.rounds)
            .expect("strings take everything");
        if self.quick {
            body.push_str("A quick run does less than the rows' names say.\n\n");
        }
        if self.machine.is_busy() {
            body.push_str("Provisional: other programs kept the machine busy.\n\n");
        }
        body.push_str(&self.table());
        body
    }

    /// report.md.
    pub fn page(&self) -> String {
        let mut page = format!("# Benchmark\n\n{}", self.body());
        if self.has_plots {
            for plot in PLOTS {
                write!(page, "\n![{}]({}.svg)\n", plot.title, plot.file).expect("strings take everything");
            }
        }
        page
    }
}

impl Row {
    fn spread(&self, spread: Spread) -> String {
        let shown = |value| if self.to.is_some() { number(value) } else { self.figure.shown(value) };
        format!("{} - {}", shown(spread.lowest), shown(spread.highest))
    }

    fn shown_goal(&self, value: f64) -> String {
        if self.to.is_some() { number(value) } else { self.figure.shown(value) }
    }
}

impl Bound {
    fn shown(self, shown: impl Fn(f64) -> String) -> (String, String) {
        let (sign, goal, stretch) = match self {
            Bound::Reported => return (String::new(), String::new()),
            Bound::AtMost(goal, stretch) => ("<=", goal, stretch),
            Bound::AtLeast(goal, stretch) => (">=", goal, stretch),
        };
        let sign = |value: f64| format!("{sign} {}", shown(value));
        (sign(goal), stretch.map(sign).unwrap_or_default())
    }

    /// The last column.
    fn verdict(self, value: f64) -> &'static str {
        let (reached, stretch) = match self {
            Bound::Reported => return "",
            Bound::AtMost(goal, stretch) => (value <= goal, stretch.map(|stretch| value <= stretch)),
            Bound::AtLeast(goal, stretch) => (value >= goal, stretch.map(|stretch| value >= stretch)),
        };
        match (reached, stretch) {
            (false, _) => "**over goal**",
            (true, Some(true)) => "stretch",
            (true, _) => "goal",
        }
    }
}

impl Figure {
    /// A value in its unit.
    fn shown(self, value: f64) -> String {
        match self {
            Figure::Given(_, "/s") => format!("{value:.0}/s"),
            Figure::BytesPerOperation => format!("{value:.0} bytes"),
            Figure::KibPerGuest => format!("{value:.1} KiB"),
            _ if value >= 1_000_000.0 => format!("{:.1} ms", value / 1_000_000.0),
            _ if value >= 10_000.0 => format!("{:.1} us", value / 1_000.0),
            _ => format!("{value:.0} ns"),
        }
    }
}

fn number(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// A table of Markdown that can be read as it is.
fn aligned<const N: usize>(table: &[[String; N]]) -> String {
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..N).map(|column| width(column).max(3)).collect();
    let line = |cells: &mut dyn Iterator<Item = String>| {
        let cells: Vec<String> = cells.zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = String::new();
    for (at, row) in table.iter().enumerate() {
        text += &line(&mut row.iter().cloned());
        if at == 0 {
            text += &line(&mut widths.iter().map(|&width| "-".repeat(width)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_over_its_goal_is_marked() {
        assert_eq!(Bound::AtMost(1.0, Some(0.5)).verdict(1.1), "**over goal**");
        assert_eq!(Bound::AtMost(1.0, Some(0.5)).verdict(0.9), "goal");
        assert_eq!(Bound::AtMost(1.0, Some(0.5)).verdict(0.5), "stretch");
        assert_eq!(Bound::AtLeast(0.6, Some(0.85)).verdict(0.5), "**over goal**");
        assert_eq!(Bound::AtLeast(10.0, None).verdict(12.0), "goal");
        assert_eq!(Bound::Reported.verdict(12.0), "");
    }

    #[test]
    fn columns_are_aligned() {
        let table = [["a", "long"].map(str::to_owned), ["bcde", ""].map(str::to_owned)];
        assert_eq!(aligned(&table), "| a    | long |\n| ---- | ---- |\n| bcde |      |\n");
    }

    #[test]
    fn values_have_units() {
        assert_eq!(Figure::Cpu.shown(250.4), "250 ns");
        assert_eq!(Figure::Cpu.shown(12_340.0), "12.3 us");
        assert_eq!(Figure::Given("", "/s").shown(12_340.0), "12340/s");
    }
}
