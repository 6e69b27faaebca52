//! The two cargo profiles that everything is built in.

/// A cargo profile of the workspace. Cargo.toml says what each is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// The tests and the demo: compiled quickly.
    Quick,
    /// The profile that ships and that the benchmark measures: optimized across crates.
    Release,
}

impl Profile {
    /// The name for cargo's `--profile`. Cargo's target directory has a folder of the same name.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Quick => "quick",
            Profile::Release => "release",
        }
    }
}
