//! The order of callbacks is Node's: random programs run on Node itself and in the sandbox, in
//! virtual time.
//!
//! Where there is no Node, the test says so and passes. `UV_HANDLES_SEEDS=0..50000` runs other
//! programs.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use uv_handles_tests::javascript_order::program;
use uv_handles_tests::script::{JAVASCRIPT, root};
use uv_handles_tests::seeds;

/// Programs of one process of Node.
const BATCH: u64 = 50;

/// Processes of Node at a time. They mostly wait.
const AT_ONCE: usize = 8;

/// How often Node may run a program. A busy machine makes callbacks late, and then their order
/// differs.
const TRIES: usize = 10;

/// A version of Node that is there, if it knows what the programs use.
fn node() -> Option<String> {
    let output = Command::new("node").arg("--version").stderr(Stdio::null()).output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    let major: u32 = version.strip_prefix('v')?.split('.').next()?.parse().ok()?;
    (major >= 18).then_some(version)
}

/// Writes programs as a script.
fn script(dir: &Path, seeds: &[u64]) -> std::path::PathBuf {
    let programs: Vec<String> = seeds.iter().map(|seed| program(*seed)).collect();
    let text =
        format!("import {{ run }} from './interpreter.mjs';\nawait run([\n{},\n]);\n", programs.join(",\n"));
    let file = dir.join(format!("programs-{}.mjs", seeds[0]));
    fs::write(&file, text).unwrap();
    file
}

fn lines(output: std::process::Output) -> Vec<String> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn spawn(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The traces of programs in Node.
fn in_node(dir: &Path, seeds: &[u64]) -> Child {
    let mut command = Command::new("node");
    command.arg(script(dir, seeds));
    spawn(command)
}

#[test]
fn callbacks_are_called_in_the_order_of_node() {
    let Some(version) = node() else {
        eprintln!("skipped: there is no node, version 18 or later, to compare with");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let interpreter = root().join("tests/javascript/order/interpreter.mjs");
    fs::copy(interpreter, dir.path().join("interpreter.mjs")).unwrap();
    let Range { start, end } = seeds(0..2_000);
    let batches: Vec<Vec<u64>> =
        (start..end).step_by(BATCH as usize).map(|first| (first..end.min(first + BATCH)).collect()).collect();
    let mut differing = Vec::new();
    let mut callbacks = 0;
    for batches in batches.chunks(AT_ONCE) {
        let nodes: Vec<Child> = batches.iter().map(|seeds| in_node(dir.path(), seeds)).collect();
        for (seeds, node) in batches.iter().zip(nodes) {
            let ours =
                JAVASCRIPT.uv_run_script(&["--virtual-time"], &script(dir.path(), seeds)).output().unwrap();
            let (ours, theirs) = (lines(ours), lines(node.wait_with_output().unwrap()));
            assert_eq!((ours.len(), theirs.len()), (seeds.len(), seeds.len()));
            for ((seed, ours), theirs) in seeds.iter().zip(ours).zip(theirs) {
                callbacks += ours.split(' ').count();
                if ours != theirs {
                    differing.push((*seed, ours));
                }
            }
        }
    }
    println!("{} programs, {callbacks} callbacks, {} again", end - start, differing.len());
    for (seed, ours) in differing {
        let mut theirs = Vec::new();
        let agrees = (0..TRIES).any(|_| {
            theirs = lines(in_node(dir.path(), &[seed]).wait_with_output().unwrap());
            theirs == [ours.clone()]
        });
        assert!(agrees, "seed {seed}\n{}\nnode {version}: {theirs:?}\nsandbox: {ours}", program(seed));
    }
}
