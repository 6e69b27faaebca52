//! Random programs of timers, immediates, promise jobs and ticks, as text that Node and the sandbox
//! both run.
//!
//! Node runs in real time, so only programs are made whose order does not depend on how fast a
//! machine is: each time at which a timer is due is a multiple of `STEP` from the program's
//! beginning, and two timers are due at the same time only if one callback has started both with
//! the same duration.

use std::collections::HashMap;
use std::fmt::Write;

/// Milliseconds between two times at which timers are due. A callback that is late by less does not
/// change the order.
const STEP: u32 = 8;

/// The last of these times.
const LAST: u32 = 48;

/// A generator of random numbers: splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u32) -> u32 {
        (self.next() % u64::from(limit)) as u32
    }
}

/// A program that is being made.
struct Program {
    random: Random,
    /// The number of the last callback.
    numbers: u32,
    /// By the time at which timers are due: the callback that starts them, and their duration.
    due: HashMap<u32, (u32, u32)>,
    text: String,
}

/// The text of a program, as an object literal.
pub fn program(seed: u64) -> String {
    let mut program = Program { random: Random(seed), numbers: 0, due: HashMap::new(), text: String::new() };
    let start = if program.random.below(2) == 0 { "timeout" } else { "immediate" };
    let count = 2 + program.random.below(6);
    program.actions(count, 0, 0, 3);
    let length = program.due.keys().max().copied().unwrap_or(0) + STEP;
    format!("{{ start: \"{start}\", length: {length}, actions: {} }}", program.text)
}

impl Program {
    /// Actions of a callback, which is called at a time.
    fn actions(&mut self, count: u32, parent: u32, time: u32, depth: u32) {
        self.text.push('[');
        for _ in 0..count {
            self.action(parent, time, depth);
        }
        self.text.push(']');
    }

    fn action(&mut self, parent: u32, time: u32, depth: u32) {
        let kinds = [
            "timeout",
            "timeout",
            "interval",
            "immediate",
            "immediate",
            "tick",
            "tick",
            "job",
            "await",
            "then",
            "clear",
        ];
        let kind = kinds[self.random.below(kinds.len() as u32) as usize];
        match kind {
            "clear" => {
                let target = 1 + self.random.below(self.numbers.max(1));
                let _ = write!(self.text, "{{ kind: \"clear\", target: {target} }}, ");
            }
            "timeout" => {
                if let Some(duration) = self.duration(parent, time, 1) {
                    self.callback(kind, &format!("duration: {duration}, "), time + duration, depth);
                }
            }
            "interval" => {
                let times = 2 + self.random.below(2);
                if let Some(duration) = self.duration(parent, time, times) {
                    let more = format!("duration: {duration}, times: {times}, ");
                    self.callback(kind, &more, time + duration, depth);
                }
            }
            _ => self.callback(kind, "", time, depth),
        }
    }

    fn callback(&mut self, kind: &str, more: &str, time: u32, depth: u32) {
        self.numbers += 1;
        let number = self.numbers;
        let _ = write!(self.text, "{{ kind: \"{kind}\", number: {number}, {more}actions: ");
        let count = if depth == 0 { 0 } else { self.random.below(depth + 1) };
        self.actions(count, number, time, depth.saturating_sub(1));
        self.text.push_str(" }, ");
    }

    /// A duration for a timer that is due so many times, none if all tried ones meet other timers.
    fn duration(&mut self, parent: u32, time: u32, times: u32) -> Option<u32> {
        for _ in 0..6 {
            let duration = STEP * (1 + self.random.below(4));
            let dues: Vec<u32> = (1..=times).map(|n| time + n * duration).collect();
            let is_free = |due: &u32| {
                *due <= LAST && self.due.get(due).is_none_or(|by| times == 1 && *by == (parent, duration))
            };
            if dues.iter().all(is_free) {
                // Nothing else may be due together with an interval: it is late by a little more
                // each time.
                let by = if times == 1 { (parent, duration) } else { (u32::MAX, self.numbers) };
                self.due.extend(dues.iter().map(|due| (*due, by)));
                return Some(duration);
            }
        }
        None
    }
}
