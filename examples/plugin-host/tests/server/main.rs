//! Tests of the server as a process, with a directory of plugins: its responses, its log, and its
//! end.

mod harness;

mod bad_input;
mod clients;
mod javascript;
mod load;
mod messages;
mod metrics;
mod reload;
mod restart;
mod stop;
