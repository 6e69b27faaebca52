//! Descriptors: which are granted, and operations on them.

mod accepts;
mod addresses;
mod buffer_sizes;
mod errors;
mod grants;
mod half_close;
mod limit;
mod reconnects;
mod trap;

uv_handles_test_guests::cases!(
    accepts,
    addresses,
    buffer_sizes,
    errors,
    grants,
    half_close,
    limit,
    reconnects,
    trap,
);
