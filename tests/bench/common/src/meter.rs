//! Clocks: CPU time for throughput, wall time for latency.

use std::time::{Duration, Instant};

/// The time that has passed between two moments.
#[derive(Debug, Default)]
pub struct Meter {
    begun: Option<Moment>,
}

/// The clocks at a moment.
#[derive(Debug, Clone, Copy)]
struct Moment {
    wall: Instant,
    process: Duration,
    thread: Duration,
}

impl Moment {
    fn now() -> Moment {
        Moment {
            wall: Instant::now(),
            process: cpu(libc::CLOCK_PROCESS_CPUTIME_ID),
            thread: cpu(libc::CLOCK_THREAD_CPUTIME_ID),
        }
    }
}

impl Meter {
    /// Starts the measurement.
    pub fn begin(&mut self) {
        self.begun = Some(Moment::now());
    }

    /// Ends the measurement and returns the figures, in nanoseconds.
    ///
    /// # Panics
    ///
    /// If it has not begun.
    pub fn end(&mut self) -> [(&'static str, f64); 3] {
        let now = Moment::now();
        let begun = self.begun.take().expect("what ends has begun");
        let nanoseconds = |duration: Duration| duration.as_nanos() as f64;
        [
            // The CPU time of all threads, so that no thread's work is left out.
            ("cpu_ns", nanoseconds(now.process - begun.process)),
            ("thread_cpu_ns", nanoseconds(now.thread - begun.thread)),
            ("wall_ns", nanoseconds(now.wall - begun.wall)),
        ]
    }
}

fn cpu(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is valid for the call.
    let result = unsafe { libc::clock_gettime(clock, &raw mut time) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// The number of bytes of this process's memory that are resident.
///
/// # Panics
///
/// If this is not Linux.
pub fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has memory");
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes * 1024
}
