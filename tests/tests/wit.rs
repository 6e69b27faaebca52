//! The program of wit/README.md, run. That the README shows this very program, and everything else
//! about the WIT package, is tested by the package in `wit`.

use uv_handles_tests::*;

foreach_wit!(assert_test_exists);

#[test]
fn wit_program() {
    let lines = run(WIT_PROGRAM, |_| {}).succeeded();
    assert_eq!(lines, ["tick 1", "tick 2", "tick 3", "closed"]);
}
