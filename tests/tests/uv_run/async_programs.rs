//! The command `uv-run` with programs that have async functions.

use uv_handles_tests::process::ended;

const PROGRAM: &str = "async-program-guest";

#[test]
fn an_async_program_runs_to_its_end() {
    ended(&[], PROGRAM, &[]).printed(&["waiting", "called"]);
    for (how, code) in [("error", 1), ("trap", 1)] {
        let ended = ended(&[], PROGRAM, &[how]);
        assert_eq!((ended.code, &ended.stdout[..]), (code, &["waiting".to_owned(), "called".to_owned()][..]));
        let traps = ended.stderr.iter().any(|line| line.contains("the guest trapped"));
        assert_eq!(traps, how == "trap", "{ended:?}");
    }
}

#[test]
fn a_timeout_ends_an_async_program_that_waits() {
    let ended = ended(&["--timeout", "0.2"], PROGRAM, &["forever"]);
    assert_eq!(ended.code, 124, "{ended:?}");
}

#[test]
fn a_library_with_async_functions_is_refused_in_one_sentence() {
    let ended = ended(&[], "async-guest", &[]);
    assert_eq!(ended.code, 2, "{ended:?}");
    let [line] = &ended.stderr[..] else { panic!("{ended:?}") };
    assert!(
        line.contains("does not export wasi:cli/run in version 0.2 or 0.3, so it is a library"),
        "{line}"
    );
}
