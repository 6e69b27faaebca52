//! `event-loop` and `plugin-loop`.

use uv_handles_core::{LoopId, RunId};

use crate::bindings::uv::handles::types::{Error, ErrorCode, RunMode};
use crate::native::world::with;

pub(crate) mod event_loop {
    pub use super::{Loop, Run};
}

pub(crate) mod plugin_loop {
    use super::{Error, Loop, with};

    pub fn create() -> Result<Loop, Error> {
        let made = Loop::create()?;
        with(|world| world.hosted.push(made.0));
        Ok(made)
    }
}

pub struct Loop(pub(super) LoopId);

impl Loop {
    pub fn create() -> Result<Loop, Error> {
        Ok(with(|world| world.loops.make_loop(world.now)).map(Loop)?)
    }

    /// Refuses a loop that the host runs.
    pub(super) fn check_own(&self) -> Result<(), Error> {
        match with(|world| world.hosted.contains(&self.0)) {
            true => Err(Error::Code(ErrorCode::Enotsup)),
            false => Ok(()),
        }
    }

    pub fn begin(&self, mode: RunMode) -> Result<Run, Error> {
        self.check_own()?;
        Ok(with(|world| world.loops.begin_run(self.0, mode.into())).map(Run)?)
    }

    pub fn stop(&self) {
        with(|world| world.loops.stop(self.0));
    }

    pub fn close(&self) -> Result<(), Error> {
        Ok(with(|world| world.loops.close_loop(self.0))?)
    }

    pub fn closed(&self) -> bool {
        with(|world| world.loops.loop_closed(self.0))
    }

    pub fn alive(&self) -> bool {
        with(|world| world.loops.alive(self.0))
    }

    pub fn now(&self) -> Result<u64, Error> {
        Ok(with(|world| world.loops.now(self.0))?)
    }

    pub fn update_time(&self) -> Result<(), Error> {
        Ok(with(|world| world.loops.update_time(self.0, world.now))?)
    }

    pub fn poll_timeout(&self) -> Result<Option<u32>, Error> {
        Ok(with(|world| world.loops.poll_timeout(self.0))?)
    }

    pub fn handles(&self) -> Vec<u64> {
        with(|world| {
            let handles = world.loops.handles(self.0).into_iter();
            handles.map(|handle| world.loops.token(handle)).collect()
        })
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        with(|world| {
            world.hosted.retain(|&hosted| hosted != self.0);
            world.loops.release_loop(self.0);
        });
    }
}

pub struct Run(pub(super) RunId);

impl Drop for Run {
    fn drop(&mut self) {
        with(|world| world.loops.release_run(self.0));
    }
}
