//! Tests of the Rust SDK on the machine itself, with its feature `native`.
//!
//! The programs of docs/recipes.md are the documentation tests of this library.

#[cfg(doctest)]
#[doc = include_str!("../../../docs/recipes.md")]
struct Recipes;
