//! Handle programs for the differential test: their types ([`Program`]), their text form
//! ([`script`]) and their interpreter ([`interpret`]).
//!
//! The same interpreter runs a program on native libuv, on the loop's core alone and inside a
//! guest; a [`Side`] does the single operations there. It depends on nothing, so that all of them
//! can use it.

#![forbid(unsafe_code)]
#![deny(missing_docs, missing_debug_implementations)]

mod interpret;
mod program;
pub mod script;

pub use interpret::{Called, Context, Count, OnCalled, Outcome, Side, What, interpret};
pub use program::{
    Declared, HandleOp, Kind, LoopOp, Mode, Op, Place, Program, Source, SourceOp, Start, fill, poll_events,
};
