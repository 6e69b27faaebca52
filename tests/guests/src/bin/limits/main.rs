//! Guests that take all they can get.

mod full;
mod of_the_os;

uv_handles_test_guests::cases!(full, of_the_os,);
