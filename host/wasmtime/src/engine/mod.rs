//! Engine configuration, and interruption of guests that compute.

mod config;
mod epoch_ticker;
mod epochs;

pub use config::{dense_engine_config, engine_config};
pub use epoch_ticker::EpochTicker;
pub(crate) use epochs::begin_epochs;
#[cfg(feature = "async")]
pub use epochs::interrupt_by_epochs_async;
pub use epochs::interrupt_by_epochs_sync;
