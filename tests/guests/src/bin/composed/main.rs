//! Guests composed with the adapter.

mod descriptors;
mod dropped_unsent;
mod drops;
mod opens;
mod refused;

uv_handles_test_guests::cases!(descriptors, dropped_unsent, drops, opens, refused,);
