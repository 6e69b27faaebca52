//! Drives the core's sessions with WASI's clock and pollables.
//!
//! Going on with a run never blocks. `wait.rs` waits.

use crate::wait;
use uv_handles_core::{Driver, Error, HandleId, LoopId, Loops, Progress, Step, WaitStage};

/// Drives the sessions of these loops.
pub struct WasiDriver<'a>(pub &'a mut Loops);

impl Driver for WasiDriver<'_> {
    type Error = Error;

    fn loops(&mut self) -> &mut Loops {
        self.0
    }

    fn proceed(&mut self, id: LoopId) -> Result<Progress, Error> {
        loop {
            match self.0.step(id, &mut wait::now)? {
                Step::Deliver(event) => return Ok(Progress::Deliver(event)),
                Step::Finished { alive } => return Ok(Progress::Finished { alive }),
                Step::Poll { .. } if self.0.wait_has_reported(id) => {}
                Step::Poll { timeout: Some(0) } => wait::look(self.0, id),
                Step::Poll { .. } => {
                    if !self.is_wait_over(id) {
                        return Ok(Progress::Wait);
                    }
                }
            }
            self.0.polled(id, wait::now());
        }
    }

    fn close(&mut self, handle: HandleId) {
        self.0.close(handle);
    }
}

impl WasiDriver<'_> {
    /// Whether the loop, which may wait, has nothing to wait for. Otherwise the guest is told to
    /// wait.
    ///
    /// The end of the wait is the deadline of the first timer on the clock, not the timeout that
    /// starts at the loop's cached time: so a repeating timer keeps its interval however long its
    /// callback takes.
    fn is_wait_over(&mut self, id: LoopId) -> bool {
        if self.0.has_ready(id) {
            return true;
        }
        let deadline = self.0.next_deadline(id);
        let has_passed = || deadline.is_some_and(|deadline| deadline <= wait::now());
        match self.0.wait_stage(id) {
            // The wait itself looks.
            WaitStage::New if !has_passed() => {}
            // The wait has looked.
            WaitStage::Waited if has_passed() => return true,
            // It is too late to wait, or the guest has done something else instead of waiting.
            WaitStage::New | WaitStage::Told | WaitStage::Waited => {
                wait::look(self.0, id);
                if self.0.has_ready(id) || has_passed() {
                    return true;
                }
            }
        }
        self.0.set_wait_stage(id, WaitStage::Told);
        false
    }
}
