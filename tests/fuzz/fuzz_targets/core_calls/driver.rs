//! A driver for sessions: the fuzzer's input decides over the time and over waits.

use arbitrary::Arbitrary;
use uv_handles_core::{Driver, Error, HandleId, LoopId, Loops, Progress, Step};

/// How the driver behaves in one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
pub enum Wait {
    /// A wait is over at once.
    Over,
    /// A wait is not over.
    Lasts,
    /// The driver fails before it asks the loop.
    Fails,
}

/// Drives the runs of one call, and keeps what the loop has come to.
pub struct TestDriver<'a> {
    pub loops: &'a mut Loops,
    pub now: u64,
    pub wait: Wait,
    /// The progress of the loop, if the session has asked.
    pub progress: Option<Progress>,
}

/// The reason why a run cannot go on.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    Core(Error),
    Driver,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Core(error)
    }
}

/// A driver may look as often as it likes before it reports a wait.
const LOOKS: usize = 4;

impl Driver for TestDriver<'_> {
    type Error = Failure;

    fn loops(&mut self) -> &mut Loops {
        self.loops
    }

    fn proceed(&mut self, id: LoopId) -> Result<Progress, Failure> {
        assert_eq!(self.progress, None, "a call goes on once");
        if self.wait == Wait::Fails {
            return Err(Failure::Driver);
        }
        let now = self.now;
        let mut progress = Progress::Wait;
        for _ in 0..LOOKS {
            match self.loops.step(id, &mut || now)? {
                Step::Deliver(event) => {
                    progress = Progress::Deliver(event);
                    break;
                }
                Step::Finished { alive } => {
                    progress = Progress::Finished { alive };
                    break;
                }
                Step::Poll { timeout } if timeout == Some(0) || self.wait == Wait::Over => {
                    self.loops.polled(id, now);
                }
                Step::Poll { .. } => break,
            }
        }
        self.progress = Some(progress);
        Ok(progress)
    }

    fn close(&mut self, handle: HandleId) {
        self.loops.close(handle);
    }
}
