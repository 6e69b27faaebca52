//! The world of a test: the loops of its thread, the virtual clock, and what stands for the host.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::mem::ManuallyDrop;
use std::rc::Rc;

use uv_handles_core::{HandleId, Limits, LoopId, Loops, SourceId};

use crate::native::named::Names;
use crate::native::stream::{Grant, Source};

/// So many iterations in a row take no time. Each one after that takes a millisecond, so that a
/// loop whose idle handle stays active comes to its timers.
const FREE_ITERATIONS: u32 = 1_000;

/// A function that a test has scheduled.
pub(super) type Scheduled = Box<dyn FnOnce()>;

/// The loops of one thread, and everything around them.
pub(crate) struct World {
    pub(super) loops: Loops,
    /// The clock, in milliseconds.
    pub(super) now: u64,
    /// The number of iterations without a wait since the clock moved.
    iterations: u32,
    /// The loops that the host runs.
    pub(super) hosted: Vec<LoopId>,
    /// The events that a test has scheduled, by time and then in order of scheduling.
    pub(super) schedule: BTreeMap<(u64, u64), Scheduled>,
    /// The action for a run that would wait forever. `None` while it runs.
    pub(super) on_endless_wait: Option<Box<dyn FnMut()>>,
    /// The run that waits comes to its end only by that function, which has not brought an event yet.
    pub(super) is_endless: bool,
    pub(super) names: Names,
    /// The grants, by name.
    pub(super) grants: HashMap<String, Grant>,
    /// The descriptors that are open.
    pub(super) open: HashMap<SourceId, Rc<dyn Source>>,
    /// Async handles with a name, by their ids.
    pub(super) named: HashMap<HandleId, String>,
    serial: u64,
}

thread_local! {
    /// Never dropped: values of the guest in other thread-local variables may still use it while
    /// the thread ends.
    static WORLD: RefCell<ManuallyDrop<World>> = RefCell::new(ManuallyDrop::new(World::new()));
}

/// Gives access to the world. `f` must not run code of the guest or of the test.
pub(super) fn with<T>(f: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(|world| f(world))
}

impl World {
    fn new() -> Self {
        Self {
            loops: Loops::new(Limits::default()),
            now: 0,
            iterations: 0,
            hosted: Vec::new(),
            schedule: BTreeMap::new(),
            on_endless_wait: None,
            is_endless: false,
            names: Names::default(),
            grants: HashMap::new(),
            open: HashMap::new(),
            named: HashMap::new(),
            serial: 0,
        }
    }

    /// A number that has not been given out before.
    pub(super) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// Moves the clock to this time, never back.
    pub(super) fn move_clock(&mut self, to: u64) {
        if to > self.now {
            (self.now, self.iterations) = (to, 0);
        }
    }

    /// Counts an iteration that does not wait.
    pub(super) fn count_iteration(&mut self) {
        self.iterations += 1;
        if self.iterations > FREE_ITERATIONS {
            self.now = self.now.saturating_add(1);
        }
    }

    /// The time of the first scheduled function.
    pub(super) fn next_scheduled(&self) -> Option<u64> {
        self.schedule.first_key_value().map(|(&(at, _), _)| at)
    }

    /// Takes the first scheduled function whose time has come.
    pub(super) fn take_scheduled(&mut self) -> Option<Scheduled> {
        let first = self.schedule.first_entry()?;
        (first.key().0 <= self.now).then(|| first.remove())
    }

    /// Reports to the loop which of its poll handles' descriptors are ready.
    pub(super) fn look(&mut self, id: LoopId) {
        for handle in self.loops.active_polls(id) {
            let source = self.loops.poll_source(handle).and_then(|source| self.open.get(&source));
            if let Some(source) = source {
                let ready = source.readiness();
                self.loops.poll_ready(handle, ready);
            }
        }
    }
}
