//! Tests of the WIT package and of guests' imports, in `tests/`. They are a package of their own so
//! that wit-parser's features do not mix with those that wasmtime is built with.
