//! Random programs behave on the SDK's native mode as on native libuv.

use std::process::Command;

#[test]
fn random_programs_behave_as_on_libuv() {
    let output = Command::new(env!("CARGO_BIN_EXE_conformance-native"))
        .args(["--programs", "2000", "--seed", "1", "--replay", "../conformance/programs"])
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{errors}");
    assert!(printed.contains("differing: 0"), "{printed}{errors}");
    let compared = printed.lines().find_map(|line| line.strip_prefix("compared with the SDK: "));
    assert!(compared.is_some_and(|count| count.parse().is_ok_and(|count: u32| count > 500)), "{printed}");
}
