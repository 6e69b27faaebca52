//! One run of a loop: asks the host for callbacks and calls them.

use crate::batch::{self, Form, Synced};
use crate::error::Result;
use crate::imports;
use crate::imports::batch::{BatchStep, RunKey, key};
use crate::imports::event_loop::Run as RawRun;
use crate::imports::types::{Event, EventKind};
use crate::registry;

/// A run that has begun. Dropping it ends the run: callbacks that are still due stay due for the
/// next run of the loop.
pub(crate) struct Run {
    #[cfg_attr(not(feature = "concurrent"), expect(dead_code, reason = "only its drop matters"))]
    raw: Synced<RawRun>,
    key: RunKey,
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
        // The short form of `next` fits when callbacks without arguments keep coming.
        let mut plain_in_a_row = 0_u32;
        loop {
            if plain_in_a_row > 1 && batch::call_next_callbacks(self.key, form) {
                continue;
            }
            let step = batch::next(self.key, form)?;
            let is_plain = matches!(
                step,
                BatchStep::Event(Event { token, kind: EventKind::Callback }) if batch::is_short(token)
            );
            plain_in_a_row = if is_plain { plain_in_a_row.saturating_add(1) } else { 0 };
            match step {
                BatchStep::Event(event) => registry::dispatch(event),
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
