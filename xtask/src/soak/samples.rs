//! Samples of the soak's program, and whether the process has grown.

use std::fmt;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::plot::{Panel, Timed};

/// Resources of the process at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Since the beginning.
    pub seconds: f64,
    /// Resident.
    pub memory_kib: f64,
    /// Open ones.
    pub descriptors: f64,
    /// All of the process.
    pub threads: f64,
    /// The lateness of the neighbor's timer since the sample before, at most.
    pub lateness_ms: f64,
    /// How many guests have ended so far.
    pub lives: f64,
}

impl Timed for Sample {
    fn seconds(&self) -> f64 {
        self.seconds
    }
}

/// The values that are drawn.
pub const PANELS: [Panel<Sample>; 4] = [
    ("resident memory, MiB", |sample| sample.memory_kib / 1_024.0),
    ("open descriptors", |sample| sample.descriptors),
    ("threads", |sample| sample.threads),
    ("lateness of a neighbor's 10 ms timer, worst per second, ms", |sample| sample.lateness_ms),
];

/// Reads samples: a JSON object on each line.
pub fn parse(text: &str) -> Result<Vec<Sample>> {
    let line = |line: &str| {
        let value: Value = serde_json::from_str(line)?;
        let number = |name: &str| value[name].as_f64().with_context(|| format!("{name} is missing: {line}"));
        Ok(Sample {
            seconds: number("seconds")?,
            memory_kib: number("memory_kib")?,
            descriptors: number("descriptors")?,
            threads: number("threads")?,
            lateness_ms: number("lateness_ms")?,
            lives: number("lives")?,
        })
    };
    text.lines().map(line).collect()
}

/// The second quarter of a run beside the last: the first is for warming up.
#[derive(Debug)]
pub struct Verdict {
    /// The name of a measure, its lowest value in both quarters, and the permitted growth.
    compared: [(&'static str, f64, f64, f64); 3],
    lives: f64,
    /// The median of the samples and the worst one.
    lateness_ms: (f64, f64),
}

/// The measures, and the permitted growth of the lowest value in the last quarter. Active guests,
/// more of them on a busy machine, raise all other values; a leak raises the lowest.
type Measure = (&'static str, fn(&Sample) -> f64, f64);

/// A guest's memory is given back to the allocator, which gives it back to the OS in its own time.
const MEASURES: [Measure; 3] = [
    ("memory in KiB", |sample| sample.memory_kib, 1_024.0),
    ("descriptors", |sample| sample.descriptors, 0.0),
    ("threads", |sample| sample.threads, 0.0),
];

/// Compares the quarters.
pub fn verdict(samples: &[Sample]) -> Result<Verdict> {
    ensure!(samples.len() >= 8, "{} samples are too few to judge by", samples.len());
    let quarter = samples.len() / 4;
    let (second, last) = (&samples[quarter..2 * quarter], &samples[samples.len() - quarter..]);
    let lowest = |of: fn(&Sample) -> f64, samples: &[Sample]| samples.iter().map(of).fold(f64::MAX, f64::min);
    let compared =
        MEASURES.map(|(name, of, tolerance)| (name, lowest(of, second), lowest(of, last), tolerance));
    let mut lateness: Vec<f64> = samples.iter().map(|sample| sample.lateness_ms).collect();
    lateness.sort_by(f64::total_cmp);
    let lateness_ms = (lateness[lateness.len() / 2], lateness[lateness.len() - 1]);
    Ok(Verdict { compared, lives: samples[samples.len() - 1].lives, lateness_ms })
}

impl Verdict {
    /// Whether nothing has grown.
    pub fn passed(&self) -> bool {
        self.compared.iter().all(|&(_, second, last, tolerance)| last <= second + tolerance)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "guests: {}", self.lives)?;
        for (name, second, last, tolerance) in self.compared {
            let grown = if last <= second + tolerance { "" } else { "  GROWN" };
            writeln!(
                f,
                "{name}: at least {second} in the second quarter, {last} in the last, tolerance {tolerance}{grown}"
            )?;
        }
        let (median, worst) = self.lateness_ms;
        write!(f, "a neighbor's 10 ms timer, worst call per second: median {median:.1} ms, ")?;
        writeln!(f, "worst {worst:.1} ms")?;
        write!(f, "{}", if self.passed() { "soak: passed" } else { "soak: FAILED" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(memory: impl Fn(f64) -> f64, descriptors: impl Fn(f64) -> f64) -> Vec<Sample> {
        let sample = |at: u32| {
            let seconds = f64::from(at);
            let (memory_kib, descriptors) = (memory(seconds), descriptors(seconds));
            Sample { seconds, memory_kib, descriptors, threads: 9.0, lateness_ms: seconds, lives: seconds }
        };
        (0..100).map(sample).collect()
    }

    #[test]
    fn what_stays_passes_also_after_a_warm_up() {
        let samples = run(|at| if at < 20.0 { at * 1_000.0 } else { 20_000.0 }, |at| 20.0 + at % 5.0 * at);
        let verdict = verdict(&samples).unwrap();
        assert!(verdict.passed(), "{verdict}");
        assert_eq!(verdict.lateness_ms, (50.0, 99.0));
    }

    #[test]
    fn what_grows_does_not_pass() {
        let leaks =
            [run(|at| 40_000.0 + 30.0 * at, |_| 20.0), run(|_| 40_000.0, |at| (20.0 + at / 30.0).floor())];
        for samples in leaks {
            let verdict = verdict(&samples).unwrap();
            assert!(!verdict.passed(), "{verdict}");
            assert_eq!(verdict.to_string().matches("GROWN").count(), 1, "{verdict}");
        }
    }

    #[test]
    fn the_programs_lines_are_read() {
        let line =
            r#"{"seconds":1.5,"memory_kib":10,"descriptors":2,"threads":3,"lateness_ms":0.25,"lives":4}"#;
        let samples = parse(&format!("{line}\n{line}\n")).unwrap();
        assert_eq!(samples.len(), 2);
        assert_eq!((samples[1].seconds, samples[1].lateness_ms), (1.5, 0.25));
        assert!(parse("{}").is_err() && parse("soak").is_err());
    }
}
