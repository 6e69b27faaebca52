//! The test guests by name: a program, and which of its cases to run.

use std::fmt;

/// A test guest. Most programs have many cases and run the one that their first argument names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    program: &'static str,
    name: Option<&'static str>,
}

impl Case {
    /// A case of a program.
    pub(crate) const fn new(program: &'static str, name: &'static str) -> Case {
        Case { program, name: Some(name) }
    }

    /// A program without cases.
    pub const fn program(name: &'static str) -> Case {
        Case { program: name, name: None }
    }

    /// The name of its component in target/guests, without `.wasm`.
    pub fn component(self) -> &'static str {
        self.program
    }

    /// The arguments that choose it: one, or none for a program without cases.
    pub fn args(self) -> impl Iterator<Item = &'static str> {
        self.name.into_iter()
    }
}

impl From<&'static str> for Case {
    fn from(program: &'static str) -> Case {
        Case::program(program)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program)?;
        self.name.map_or(Ok(()), |name| write!(f, " {name}"))
    }
}
