//! The network of WASI in tasks: HTTP, TCP, UDP and names.

mod cancelled;
mod fetch;
mod names;
mod tcp;
mod udp;

uv_handles_test_guests::cases!(cancelled, fetch, names, tcp, udp);
