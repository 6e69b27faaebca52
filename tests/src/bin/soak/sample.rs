//! The resources that the process uses at a moment, as /proc reports them.

use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

pub struct Sample {
    at: Duration,
    memory_kib: u64,
    descriptors: usize,
    threads: usize,
    lateness: Duration,
    lives: u64,
}

impl Sample {
    /// Takes a sample now.
    pub fn take(begin: Instant, lives: u64, lateness: Duration) -> Sample {
        Sample {
            at: begin.elapsed(),
            memory_kib: resident_kib(),
            descriptors: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            lateness,
            lives,
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sample { at, memory_kib, descriptors, threads, lateness, lives } = self;
        write!(
            f,
            "{{\"seconds\":{:.3},\"memory_kib\":{memory_kib},\"descriptors\":{descriptors},\
             \"threads\":{threads},\"lateness_ms\":{:.3},\"lives\":{lives}}}",
            at.as_secs_f64(),
            lateness.as_secs_f64() * 1e3,
        )
    }
}

pub fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("every process has it");
    line.trim().trim_end_matches(" kB").parse().expect("it is a number")
}

pub fn entries(dir: &str) -> usize {
    fs::read_dir(dir).expect("this is Linux").count()
}
