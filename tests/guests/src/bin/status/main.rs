//! Status codes: names, numbers and messages.

mod codes;
mod names_and_messages;
mod of_system_errors;

uv_handles_test_guests::cases!(codes, names_and_messages, of_system_errors,);
