//! The server's limits on its clients, with shorter times than its command line has.

#[path = "../../src/body.rs"]
mod body;
#[path = "../../src/origin.rs"]
mod origin;
#[path = "../../src/server.rs"]
mod server;

mod bodies;
mod connections;
mod origins;
