//! Guests that the host's interrupt handle ends.

mod blocked;
mod busy;
mod ends;

uv_handles_test_guests::cases!(blocked, busy, ends,);
