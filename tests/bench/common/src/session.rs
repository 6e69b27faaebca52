//! One piece of work: its start, its end, its counts, and the report.

use crate::answers::Answers;
use crate::meter::{Meter, memory};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

/// A peer of the loop on a thread of its own, such as a sender or a client.
#[derive(Debug)]
pub struct Peer {
    gate: Sender<()>,
    thread: JoinHandle<Figures>,
}

/// The measurements, by name.
type Figures = Vec<(String, f64)>;

impl Peer {
    /// A peer that starts when the measurement does.
    ///
    /// # Panics
    ///
    /// If the OS has no threads.
    pub fn new(run: impl FnOnce(Receiver<()>) -> Figures + Send + 'static) -> Peer {
        let (gate, opened) = channel();
        let thread = thread::Builder::new().name("peer".into()).spawn(|| run(opened));
        Peer { gate, thread: thread.expect("the OS has threads") }
    }
}

/// A program's single piece of work.
#[derive(Debug, Default)]
pub struct Session {
    meter: Meter,
    counts: BTreeMap<String, u64>,
    figures: BTreeMap<String, f64>,
    peer: Option<Peer>,
    answers: Option<Arc<Answers>>,
}

impl Session {
    /// Work without a peer.
    pub fn new() -> Session {
        Session::default()
    }

    /// Adds a peer.
    pub fn with_peer(&mut self, peer: Peer) {
        self.peer = Some(peer);
    }

    /// Adds a peer that waits for answers.
    pub fn with_answers(&mut self, (answers, peer): (Arc<Answers>, Peer)) {
        self.answers = Some(answers);
        self.peer = Some(peer);
    }

    /// The answers of the loop's callbacks.
    pub fn answers(&self) -> Option<Arc<Answers>> {
        self.answers.clone()
    }

    /// Starts the measurement.
    pub fn begin(&mut self) {
        if let Some(peer) = &self.peer {
            // The peer is gone only if it has failed, which is seen when it is joined.
            let _ = peer.gate.send(());
        }
        self.meter.begin();
    }

    /// Ends the measurement.
    pub fn end(&mut self) {
        let figures = self.meter.end();
        self.figures.extend(figures.map(|(name, value)| (name.to_owned(), value)));
    }

    /// Adds to the count of this name.
    pub fn count(&mut self, what: &str, many: u64) {
        *self.counts.entry(what.to_owned()).or_default() += many;
    }

    /// Adds a measurement that was made otherwise.
    pub fn figure(&mut self, what: &str, value: f64) {
        self.figures.insert(what.to_owned(), value);
    }

    /// Notes how much memory is resident now.
    pub fn memory(&mut self, what: &str) {
        self.figure(what, memory() as f64);
    }

    /// Waits for the peers, and returns the report.
    ///
    /// # Panics
    ///
    /// If they have failed.
    pub fn finish(mut self) -> Report {
        if let Some(Peer { gate, thread }) = self.peer.take() {
            drop(gate);
            self.figures.extend(thread.join().expect("the peer does its part"));
        }
        Report { counts: self.counts, figures: self.figures }
    }
}

/// The result: displayed, it is a line of JSON.
#[derive(Debug)]
pub struct Report {
    counts: BTreeMap<String, u64>,
    figures: BTreeMap<String, f64>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The names are the benchmark's own, so none needs an escape.
        let object = |f: &mut fmt::Formatter<'_>, members: &[(String, String)]| {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            write!(f, "{{{}}}", members.join(","))
        };
        let counts: Vec<_> =
            self.counts.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
        let figures: Vec<_> =
            self.figures.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
        write!(f, "{{\"counts\":")?;
        object(f, &counts)?;
        write!(f, ",\"figures\":")?;
        object(f, &figures)?;
        write!(f, "}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_json() {
        let mut session = Session::new();
        session.with_peer(Peer::new(|gate| {
            gate.recv().unwrap();
            vec![("rate".to_owned(), 0.5)]
        }));
        session.begin();
        session.count("fired", 2);
        session.count("fired", 3);
        session.figure("bytes", 250.0);
        assert_eq!(
            session.finish().to_string(),
            r#"{"counts":{"fired":5},"figures":{"bytes":250,"rate":0.5}}"#
        );
    }
}
