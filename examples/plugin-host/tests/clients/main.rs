//! The server's limits on its clients, with shorter times than its command line has.

#[path = "../../src/body.rs"]
mod body;
#[path = "../../../../host/cli/src/shared/http_connections.rs"]
mod http_connections;
#[path = "../../src/origin.rs"]
mod origin;

mod bodies;
mod connections;
mod origins;
