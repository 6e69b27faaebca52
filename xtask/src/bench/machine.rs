//! The machine of the measurement.

use std::fs;

use anyhow::{Context, Result};

use crate::process;

/// A machine, without its name.
#[derive(Debug)]
pub struct Machine {
    processor: String,
    cores: usize,
    kernel: String,
    rustc: String,
    /// How many programs wanted a processor when the run began, over the last minute.
    load: String,
}

impl Machine {
    /// Asks the system.
    pub fn describe() -> Result<Machine> {
        let read = |file: &str| fs::read_to_string(file).with_context(|| format!("cannot read {file}"));
        let processors = read("/proc/cpuinfo")?;
        let processor = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let load = read("/proc/loadavg")?;
        Ok(Machine {
            processor: processor.map_or("unknown", |(_, name)| name).to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            kernel: read("/proc/sys/kernel/osrelease")?
                .split('-')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned(),
            rustc: process::output(process::rustc().arg("--version"))?,
            load: load.split(' ').next().unwrap_or_default().to_owned(),
        })
    }

    /// A line for each thing.
    pub fn lines(&self) -> Vec<String> {
        vec![
            format!("processor: {}, {} cores ({})", self.processor, self.cores, std::env::consts::ARCH),
            format!("Linux {}", self.kernel),
            self.rustc.clone(),
            format!("load when it began: {}", self.load),
        ]
    }

    /// Whether something else kept it busy.
    pub fn is_busy(&self) -> bool {
        self.load.parse().is_ok_and(|load: f64| load > 0.5)
    }
}
