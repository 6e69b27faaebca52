//! Counts how often each step occurred, by the kind of its handle and by its place.

use std::collections::BTreeMap;
use std::fmt::Write;
use uv_handles_conformance_program::{Context, Count, HandleOp, Kind, LoopOp, SourceOp};

/// A count of all steps that can occur.
#[derive(Debug, Clone)]
pub struct Coverage {
    count: Count,
}

impl Coverage {
    /// A count of zero for all steps that can occur with these kinds of handles.
    pub fn new(kinds: &[Kind]) -> Coverage {
        let contexts =
            kinds.iter().map(|&kind| Context::Callback(kind)).chain([Context::Main, Context::Closed]);
        let mut count = Count::new();
        for context in contexts {
            for &kind in kinds {
                for op in HandleOp::ALL.iter().filter(|op| op.fits(kind)) {
                    count.insert((context, kind.name(), op.name()), 0);
                }
            }
            for op in LoopOp::ALL {
                count.insert((context, "loop", op.name()), 0);
            }
            for op in SourceOp::ALL.iter().filter(|_| kinds.contains(&Kind::Poll)) {
                count.insert((context, "pair", op.name()), 0);
            }
            count.insert((context, "process", "burn"), 0);
            if kinds.contains(&Kind::Signal) {
                count.insert((context, "process", "raise"), 0);
            }
        }
        Coverage { count }
    }

    /// Adds the steps of a program.
    pub fn add(&mut self, count: &Count) {
        for (what, times) in count {
            if let Some(all) = self.count.get_mut(what) {
                *all += times;
            }
        }
    }

    /// The steps that can occur and did so fewer times than that.
    pub fn rarer_than(&self, times: u64) -> Vec<String> {
        let rare = self.count.iter().filter(|(_, all)| **all < times);
        rare.map(|((context, subject, op), all)| format!("{subject} {op} in {}: {all}", name(*context)))
            .collect()
    }

    /// A table: each subject and operation with its counts by context.
    pub fn table(&self) -> String {
        let mut rows = BTreeMap::<(&str, &str), BTreeMap<Context, u64>>::new();
        for (&(context, subject, op), &times) in &self.count {
            rows.entry((subject, op)).or_default().insert(context, times);
        }
        let mut table = String::new();
        let contexts: Vec<Context> = rows.values().flat_map(|row| row.keys().copied()).collect();
        let contexts: std::collections::BTreeSet<Context> = contexts.into_iter().collect();
        let names: Vec<String> = contexts.iter().map(|context| format!("{:>9}", name(*context))).collect();
        let _ = writeln!(table, "{:24}{}", "", names.join(""));
        for ((subject, op), row) in &rows {
            let times: Vec<String> = row.values().map(|times| format!("{times:>9}")).collect();
            let _ = writeln!(table, "{:24}{}", format!("{subject} {op}"), times.join(""));
        }
        table
    }

    /// As lines that [`Coverage::read`] understands.
    pub fn write(&self) -> String {
        self.count.values().map(u64::to_string).collect::<Vec<_>>().join(" ")
    }

    /// Adds the counts that another process has written.
    pub fn read(&mut self, written: &str) {
        for (all, times) in self.count.values_mut().zip(written.split(' ')) {
            *all += times.parse::<u64>().unwrap_or(0);
        }
    }
}

fn name(context: Context) -> &'static str {
    match context {
        Context::Main => "main",
        Context::Callback(kind) => kind.name(),
        Context::Closed => "close",
    }
}
