//! The server as a process of its own, with plugins in a directory of its own: what it answers, what it logs,
//! and how it ends.

mod harness;

mod bad_input;
mod messages;
mod metrics;
mod reload;
mod restart;
mod stop;
