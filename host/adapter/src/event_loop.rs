//! `uv:handles/event-loop` and `uv:handles/plugin-loop`.

use crate::bindings::exports::uv::handles::event_loop::{
    Guest, GuestLoop, GuestRun, Loop, LoopBorrow, Run, RunBorrow, Step,
};
use crate::bindings::exports::uv::handles::plugin_loop;
use crate::bindings::exports::uv::handles::types::{Error, ErrorCode, RunMode};
use crate::driver::WasiDriver;
use crate::{Adapter, pollables, wait, with};
use uv_handles_core::{Delivery, Driver, LoopId, RunId};

/// The representation of a loop's resource. It is dropped with the resource.
pub struct OwnedLoop(LoopId);

impl Drop for OwnedLoop {
    fn drop(&mut self) {
        with(|loops| {
            loops.release_loop(self.0);
            pollables::drop_closed(loops);
        });
    }
}

/// The representation of a run's resource. It is dropped with the resource.
pub struct OwnedRun(RunId);

impl Drop for OwnedRun {
    fn drop(&mut self) {
        with(|loops| loops.release_run(self.0));
    }
}

/// The loop behind a borrowed resource.
pub fn id(event_loop: &LoopBorrow<'_>) -> LoopId {
    event_loop.get::<OwnedLoop>().0
}

/// The run behind a borrowed resource.
pub fn run_id(run: &RunBorrow<'_>) -> RunId {
    run.get::<OwnedRun>().0
}

impl Guest for Adapter {
    type Loop = OwnedLoop;
    type Run = OwnedRun;
}

impl plugin_loop::Guest for Adapter {
    /// A composition is a program, which runs its loops itself.
    fn create() -> Result<Loop, Error> {
        Err(ErrorCode::Enotsup.into())
    }
}

impl GuestLoop for OwnedLoop {
    fn create() -> Result<Loop, Error> {
        let now = wait::now();
        Ok(Loop::new(OwnedLoop(with(|loops| loops.make_loop(now))?)))
    }

    fn begin(&self, mode: RunMode) -> Result<Run, Error> {
        let run = with(|loops| loops.begin_run(self.0, mode.into()))?;
        Ok(Run::new(OwnedRun(run)))
    }

    fn stop(&self) {
        with(|loops| loops.stop(self.0));
    }

    fn close(&self) -> Result<(), Error> {
        Ok(with(|loops| loops.close_loop(self.0))?)
    }

    fn closed(&self) -> bool {
        with(|loops| loops.loop_closed(self.0))
    }

    fn alive(&self) -> bool {
        with(|loops| loops.alive(self.0))
    }

    fn now(&self) -> Result<u64, Error> {
        Ok(with(|loops| loops.now(self.0))?)
    }

    fn update_time(&self) -> Result<(), Error> {
        let now = wait::now();
        Ok(with(|loops| loops.update_time(self.0, now))?)
    }

    fn poll_timeout(&self) -> Result<Option<u32>, Error> {
        Ok(with(|loops| loops.poll_timeout(self.0))?)
    }

    fn handles(&self) -> Vec<u64> {
        with(|loops| loops.handles(self.0).into_iter().map(|handle| loops.token(handle)).collect())
    }
}

impl GuestRun for OwnedRun {
    fn next(&self) -> Result<Step, Error> {
        Ok(match with(|loops| WasiDriver(loops).next(self.0, 1))? {
            Delivery::Event(event) => Step::Event(event.into()),
            Delivery::Wait => Step::Wait,
            Delivery::Finished { alive } => Step::Finished(alive),
            Delivery::Callbacks(_) | Delivery::Polls(_) | Delivery::Closes(_) => {
                unreachable!("a batch has more than one callback")
            }
        })
    }
}
