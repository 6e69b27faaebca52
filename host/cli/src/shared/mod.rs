//! The parts of uv-run that `examples/plugin-host` consists of as well: the notation of grants, the
//! checks of WASI's network, and the connections of an HTTP server.
//!
//! The plugin server includes this folder by its path, so nothing here uses other parts of uv-run.

pub mod config;
pub mod format;
pub mod http_connections;
pub mod network;
pub mod quantities;
pub mod signals;
pub mod text;
