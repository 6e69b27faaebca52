//! Report of the soak of many plugins: a drawing and a summary.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::plot::{self, Panel, Timed};
use crate::process::say;

/// A second or so of all plugins.
#[derive(Debug)]
struct Sample {
    seconds: f64,
    ticks: f64,
    median_lateness_ms: f64,
    p99_lateness_ms: f64,
    cpu_percent: f64,
    kib_per_plugin: f64,
    descriptors: f64,
    threads: f64,
}

impl Sample {
    /// Reads a line that the program prints.
    fn parse(line: &str) -> Result<Sample> {
        let value: Value = serde_json::from_str(line)?;
        let number = |name: &str| value[name].as_f64().with_context(|| format!("{name} is missing: {line}"));
        Ok(Sample {
            seconds: number("seconds")?,
            ticks: number("ticks")?,
            median_lateness_ms: number("median_lateness_ms")?,
            p99_lateness_ms: number("p99_lateness_ms")?,
            cpu_percent: number("cpu_percent")?,
            kib_per_plugin: number("kib_per_plugin")?,
            descriptors: number("descriptors")?,
            threads: number("threads")?,
        })
    }
}

impl Timed for Sample {
    fn seconds(&self) -> f64 {
        self.seconds
    }
}

const PANELS: [Panel<Sample>; 5] = [
    ("lateness of the plugins' 100 ms timers, p99, ms", |sample| sample.p99_lateness_ms),
    ("calls of timers since the sample before", |sample| sample.ticks),
    ("processor time, % of one core", |sample| sample.cpu_percent),
    ("resident memory per plugin, KiB", |sample| sample.kib_per_plugin),
    ("open descriptors", |sample| sample.descriptors),
];

/// Draws and summarizes the samples. The program has checked that no plugin and no message is lost.
pub fn report(samples: &Path, drawing: &Path, count: u32) -> Result<()> {
    let text = fs::read_to_string(samples).with_context(|| format!("cannot read {}", samples.display()))?;
    let parsed: Result<Vec<Sample>> = text.lines().map(Sample::parse).collect();
    let samples = parsed.context("the samples cannot be read")?;
    ensure!(!samples.is_empty(), "there is no sample: it was too short");
    plot::draw(&samples, &PANELS, drawing)?;
    say(format_args!("drawn in {}", drawing.display()));
    let (median, worst) = median_and_most(&samples, |sample| sample.p99_lateness_ms);
    let (usual, _) = median_and_most(&samples, |sample| sample.median_lateness_ms);
    println!("plugins: {count}, each with a timer of 100 ms and a message per second; 2 threads");
    println!("lateness of the timers: median {usual} ms; p99 {median} ms, in the worst second {worst} ms");
    let (cpu, _) = median_and_most(&samples, |sample| sample.cpu_percent);
    let (ticks, _) = median_and_most(&samples, |sample| sample.ticks);
    let (memory, _) = median_and_most(&samples, |sample| sample.kib_per_plugin);
    println!("processor: {cpu:.1} % of one core, {ticks} calls of timers per sample");
    println!("memory: {memory:.1} KiB resident per plugin");
    let last = &samples[samples.len() - 1];
    println!("descriptors: {}, threads: {}", last.descriptors, last.threads);
    Ok(())
}

fn median_and_most(samples: &[Sample], of: fn(&Sample) -> f64) -> (f64, f64) {
    let mut values: Vec<f64> = samples.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[values.len() - 1])
}
