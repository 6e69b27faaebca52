//! Drives the core's sessions in virtual time: a wait moves the clock.

use uv_handles_core::{Driver, Error, HandleId, LoopId, Loops, Progress, RunId, Step, Wait, WaitStage};

use crate::native::world::World;

/// How a wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// The run can go on.
    Over,
    /// Something outside of the guest comes first, at the clock's time.
    Early,
    /// Nothing could ever end the wait.
    Endless,
}

impl Driver for World {
    type Error = Error;

    fn loops(&mut self) -> &mut Loops {
        &mut self.loops
    }

    fn proceed(&mut self, id: LoopId) -> Result<Progress, Error> {
        loop {
            let now = self.now;
            match self.loops.step(id, &mut || now)? {
                Step::Deliver(event) => {
                    self.is_endless = false;
                    return Ok(Progress::Deliver(event));
                }
                Step::Finished { alive } => return Ok(Progress::Finished { alive }),
                Step::Poll { timeout: Some(0) } => {
                    self.look(id);
                    self.count_iteration();
                }
                Step::Poll { .. } => {
                    if !self.is_wait_over(id) {
                        self.loops.set_wait_stage(id, WaitStage::Told);
                        return Ok(Progress::Wait);
                    }
                }
            }
            self.loops.polled(id, self.now);
        }
    }

    fn close(&mut self, handle: HandleId) {
        self.loops.close(handle);
    }
}

impl World {
    /// Whether an event or a deadline has ended the wait of the loop.
    fn is_wait_over(&mut self, id: LoopId) -> bool {
        self.look(id);
        self.loops.has_ready(id) || self.loops.next_deadline(id).is_some_and(|at| at <= self.now)
    }

    /// Waits for a run that has been told to: moves the clock to the next event.
    pub(super) fn wait(&mut self, run: RunId) -> Result<Waited, Error> {
        let id = self.loops.loop_of_run(run)?;
        let Some(Wait { deadline }) = self.loops.pending_wait(id).filter(|_| !self.is_wait_over(id)) else {
            return Ok(Waited::Over);
        };
        let scheduled = self.next_scheduled();
        let Some(next) = deadline.into_iter().chain(scheduled).min() else {
            return Ok(Waited::Endless);
        };
        self.move_clock(next);
        Ok(if scheduled == Some(next) { Waited::Early } else { Waited::Over })
    }
}
