//! Engine configuration, interruption of guests that compute, and the limit on their memory.

mod config;
mod epoch_ticker;
mod epochs;
mod memory_limit;

pub use config::{dense_engine_config, engine_config};
pub use epoch_ticker::EpochTicker;
pub(crate) use epochs::begin_epochs;
#[cfg(feature = "async")]
pub use epochs::interrupt_by_epochs_async;
pub use epochs::interrupt_by_epochs_sync;
pub use memory_limit::{MemoryLimit, MemoryUsage};
