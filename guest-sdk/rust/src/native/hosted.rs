//! Runs the loops of a plugin between the calls of its exports, as its host does.

use uv_handles_core::{Driver, Error, LoopId, Progress, RunMode};

use crate::batch;
use crate::milliseconds::Milliseconds;
use crate::native::schedule::run_scheduled;
use crate::native::world::{World, with};
use crate::registry;

/// Lets this time pass for a plugin: runs its [hosted](crate::Loop::hosted) loops, and calls what
/// has been scheduled with [`after`](crate::native::after), in order of time.
///
/// With 0, everything is called that is due now. Called inside a callback it has no loop to run;
/// use [`work`](crate::native::work) there.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use uv_handles::{Loop, Result, Timer, native};
///
/// # fn main() -> Result<()> {
/// // As in an export of a plugin, which returns while its timer goes on.
/// let ticks = Rc::new(Cell::new(0));
/// let count = ticks.clone();
/// Timer::new(&Loop::hosted()?)?.start_with(1000, 1000, move |_| count.set(count.get() + 1))?;
///
/// native::advance(3_500);
/// assert_eq!(ticks.get(), 3);
/// # Ok(())
/// # }
/// ```
pub fn advance(time: impl Into<Milliseconds>) {
    // The host is told of the test's changes since the last call.
    batch::sync();
    let end = with(|world| world.now.saturating_add(time.into().get()));
    loop {
        run_scheduled();
        while let Some(id) = with(World::begin_due) {
            iterate(id);
        }
        let next = with(|world| {
            let next = world.next_due().filter(|&next| next <= end);
            world.move_clock(next.unwrap_or(end));
            next
        });
        if next.is_none() {
            break;
        }
    }
    // A host refreshes the time of the loops before it calls an export.
    with(|world| {
        for id in world.hosted.clone() {
            // Refused for a closed loop alone.
            let _ = world.loops.update_time(id, world.now);
        }
    });
}

/// Calls the callbacks of an iteration that has begun.
fn iterate(id: LoopId) {
    loop {
        // A callback may have released the loop.
        let progress = with(|world| match world.hosted.contains(&id) {
            true => world.proceed(id),
            false => Err(Error::LoopClosed),
        });
        match progress {
            Ok(Progress::Deliver(event)) => {
                registry::dispatch(event.into());
                batch::sync();
            }
            Ok(Progress::Wait | Progress::Finished { .. }) | Err(_) => return,
        }
    }
}

impl World {
    /// Begins an iteration of a loop that has something to do now.
    fn begin_due(&mut self) -> Option<LoopId> {
        let hosted = self.hosted.clone().into_iter();
        let mut due = hosted.filter(|&id| self.due(id).is_some_and(|at| at <= self.now));
        let id = due.next()?;
        drop(due);
        // Refused inside a callback of the loop.
        self.loops.begin(id, RunMode::NoWait).ok().map(|()| id)
    }

    /// The time at which something is due next.
    fn next_due(&mut self) -> Option<u64> {
        let hosted = self.hosted.clone().into_iter().filter_map(|id| self.due(id)).min();
        hosted.into_iter().chain(self.next_scheduled()).min()
    }

    /// The time at which an iteration of the loop has something to do. None if only something from
    /// outside can change that.
    fn due(&mut self, id: LoopId) -> Option<u64> {
        if !self.loops.alive(id) {
            return None;
        }
        self.look(id);
        if self.loops.has_ready(id) {
            return Some(self.now);
        }
        match (self.loops.poll_timeout(id), self.loops.now(id)) {
            (Ok(Some(0)), _) => Some(self.now),
            (Ok(Some(timeout)), Ok(now)) => Some(now.saturating_add(timeout.into())),
            _ => None,
        }
    }
}
