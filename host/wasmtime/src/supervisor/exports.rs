//! The optional exports of a plugin's life: `uv:handles/plugin-life`.

use std::fmt;
use wasmtime::Store;
use wasmtime::component::{Instance, TypedFunc};
use wasmtime::error::Context;

/// The name of the interface, with the contract's version.
const PLUGIN_LIFE: &str = "uv:handles/plugin-life@0.2.0";

type Init = TypedFunc<(Vec<u8>, Option<Vec<u8>>), (Result<(), String>,)>;
type HandOver = TypedFunc<(), (Option<Vec<u8>>,)>;

/// The exports of one instance.
#[derive(Clone, Copy)]
pub(crate) struct LifeExports {
    pub init: Init,
    pub hand_over: HandOver,
}

impl LifeExports {
    /// Returns the exports, or `None` if the component does not have the interface.
    pub(crate) fn of<T: 'static>(
        store: &mut Store<T>,
        instance: &Instance,
    ) -> wasmtime::Result<Option<LifeExports>> {
        let Some(interface) = instance.get_export_index(&mut *store, None, PLUGIN_LIFE) else {
            return Ok(None);
        };
        let mut index = |name: &str| {
            let index = instance.get_export_index(&mut *store, Some(&interface), name);
            index.with_context(|| format!("the component exports {PLUGIN_LIFE} without {name}"))
        };
        let (init, hand_over) = (index("init")?, index("hand-over")?);
        let init = instance.get_typed_func(&mut *store, init)?;
        let hand_over = instance.get_typed_func(&mut *store, hand_over)?;
        Ok(Some(LifeExports { init, hand_over }))
    }
}

impl fmt::Debug for LifeExports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LifeExports").finish_non_exhaustive()
    }
}

/// Returns a state, unless it is larger than the limit. It has been copied out of the plugin's memory,
/// which is limited itself.
pub(crate) fn check_state(state: Option<Vec<u8>>, limit: usize) -> Result<Option<Vec<u8>>, String> {
    match state {
        Some(state) if state.len() > limit => {
            let length = state.len();
            Err(format!("its state of {length} bytes is larger than {limit} bytes (limits.state)"))
        }
        state => Ok(state),
    }
}
