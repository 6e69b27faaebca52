//! Erases the types of a module in TypeScript: what is left is JavaScript.
//!
//! Types become spaces, so all that is left keeps its line and its column. Only syntax that can be
//! erased is accepted, as by Node. An `enum`, for one, would have to be rewritten.

mod eraser;
mod text;

use oxc_allocator::Allocator;
use oxc_ast_visit::Visit;
use oxc_parser::Parser;
use oxc_span::SourceType;

use crate::eraser::Eraser;
use crate::text::Place;

/// Syntax that is not valid, or cannot be erased.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// A sentence without the place.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in UTF-16 code units, from 1.
    pub column: usize,
}

/// Replaces all types by spaces.
///
/// # Errors
///
/// The first syntax that is not TypeScript, or that cannot be erased.
pub fn erase(source: &str) -> Result<String, Refused> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, SourceType::ts()).parse();
    let refused = |at: usize, message: String| {
        let Place { line, column } = Place::of(source, at);
        Refused { message, line, column }
    };
    if let Some(error) = parsed.diagnostics.errors().next() {
        let at = error.labels.first().map_or(0, |label| label.offset() as usize);
        return Err(refused(at, error.message.to_string()));
    }
    let mut eraser = Eraser::new(source, &parsed.program.comments);
    eraser.visit_program(&parsed.program);
    match eraser.refused.into_iter().min() {
        Some((at, what)) => {
            Err(refused(at, format!("TypeScript {what} is not supported: it cannot be erased")))
        }
        None => Ok(eraser.text.finish()),
    }
}

#[cfg(test)]
mod tests;
