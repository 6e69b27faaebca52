//! One run of a loop: asks the host for callbacks and calls them.

use crate::batch::{self, Form, Synced};
use crate::error::Result;
use crate::imports;
use crate::imports::batch::{BatchStep, RunKey, key};
use crate::imports::event_loop::Run as RawRun;
use crate::imports::types::{Event, EventKind};

/// A run that has begun. Dropping it ends the run: callbacks that are still due stay due for the
/// next run of the loop.
pub(crate) struct Run {
    #[cfg_attr(not(feature = "concurrent"), expect(dead_code, reason = "only its drop matters"))]
    raw: Synced<RawRun>,
    key: RunKey,
}

/// The kind of a step, as far as a form of `next` brings it in a number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A callback without arguments.
    Plain,
    /// A poll handle that is ready.
    Ready,
    Other,
}

impl Kind {
    #[inline(always)]
    fn of(step: &BatchStep) -> Self {
        match step {
            BatchStep::Event(Event { token, kind }) if batch::is_short(*token) => match kind {
                EventKind::Callback => Self::Plain,
                EventKind::Poll(Ok(_)) => Self::Ready,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

/// Why a run cannot go on without a wait.
pub(crate) enum Pause {
    /// Nothing is due now.
    Wait,
    /// The run has finished. The value is the result of `uv_run`.
    Finished(bool),
}

impl Run {
    pub(crate) fn new(raw: RawRun) -> Self {
        let key = key(&raw);
        Self { raw: Synced::new(raw), key }
    }

    /// The resource, for a wait.
    #[cfg(feature = "concurrent")]
    pub(crate) fn raw(&self) -> &RawRun {
        &self.raw
    }

    /// Calls all callbacks that are due, until the run pauses. Never blocks.
    #[cfg(feature = "concurrent")]
    pub(crate) fn call_due(&self) -> Result<Pause> {
        self.call_brought_by(batch::NON_BLOCKING)
    }

    /// Calls all callbacks until the run has finished. **Blocks** where nothing is due. Returns the
    /// result of `uv_run`.
    pub(crate) fn call_all(&self) -> Result<bool> {
        loop {
            // The wait is over early when the host says so: it is repeated.
            if let Pause::Finished(alive) = self.call_brought_by(batch::BLOCKING)? {
                return Ok(alive);
            }
            imports::between_waits();
        }
    }

    // Inlined, so that each form calls its functions of the host directly.
    #[inline(always)]
    fn call_brought_by(&self, form: Form) -> Result<Pause> {
        // The forms of `next` that bring a number fit when callbacks of their kind keep coming.
        let mut last = Kind::Other;
        let mut in_a_row = 0_u32;
        loop {
            let is_brought = in_a_row > 1
                && match last {
                    Kind::Plain => batch::call_next_callbacks(self.key, form),
                    Kind::Ready => batch::call_next_ready(self.key, form),
                    Kind::Other => false,
                };
            if is_brought {
                continue;
            }
            let step = batch::next(self.key, form)?;
            let kind = Kind::of(&step);
            in_a_row = if kind == last { in_a_row.saturating_add(1) } else { 1 };
            last = kind;
            match step {
                BatchStep::Event(event) => batch::dispatch_alone(event),
                BatchStep::Callbacks(tokens) => self.dispatch(tokens, batch::callback),
                BatchStep::Polls(ready) => self.dispatch(ready, batch::ready),
                BatchStep::Closes(tokens) => self.dispatch(tokens, batch::closed),
                BatchStep::Wait => return Ok(Pause::Wait),
                BatchStep::Finished(alive) => return Ok(Pause::Finished(alive)),
            }
        }
    }

    // Inlined because the events of a batch are of one kind: nothing is left of the match in
    // `registry::dispatch`.
    #[inline(always)]
    fn dispatch<T: Copy>(&self, batch: Vec<T>, event: impl Fn(T) -> Event + Clone) {
        batch::dispatch(self.key, batch.iter().copied().map(event));
    }
}
