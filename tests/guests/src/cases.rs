//! Programs with many cases.

use std::env;
use std::process::ExitCode;

/// Makes a program's `main`: it runs the case that its first argument names.
///
/// A case is a module with a `main` of its own.
#[macro_export]
macro_rules! cases {
    ($($case:ident),+ $(,)?) => {
        fn main() -> std::process::ExitCode {
            $crate::run_case(&[
                $((stringify!($case), || std::process::Termination::report($case::main()))),+
            ])
        }
    };
}

/// The `main` of a case.
type Main = fn() -> ExitCode;

/// Runs the case that the first argument names. Without such a case the program fails and says which
/// there are.
pub fn run_case(cases: &[(&str, Main)]) -> ExitCode {
    let wanted = env::args().nth(1);
    if let Some((_, run)) = cases.iter().find(|(name, _)| wanted.as_deref() == Some(*name)) {
        return run();
    }
    let names: Vec<&str> = cases.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    match wanted {
        Some(wanted) => eprintln!("there is no case {wanted}; there are {names}"),
        None => eprintln!("the first argument must be a case: {names}"),
    }
    ExitCode::FAILURE
}

/// The arguments of a case: those after its name.
pub fn args() -> impl Iterator<Item = String> {
    env::args().skip(2)
}
