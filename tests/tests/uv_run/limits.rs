//! The limits that `uv-run`'s options set, and those that it sets without an option.

use uv_handles_tests::process::ended;
use uv_handles_tests::*;

foreach_uv_run_limits!(assert_test_exists);

#[test]
fn uv_run_limits_many_timers() {
    ended(&["--max-handles", "200000", "--virtual-time"], UV_RUN_LIMITS_MANY_TIMERS, &["100000"])
        .printed(&["100000 fired, the last at 1000 ms"]);
}

/// The timers up to the limit fire, the next one is refused.
fn refuses_after(limit: u32, options: &[&str]) {
    let wanted = (limit + 1).to_string();
    let ended = ended(&[options, &["--virtual-time"]].concat(), UV_RUN_LIMITS_MANY_TIMERS, &[&wanted]);
    assert_eq!((ended.code, &ended.stderr[..], ended.stdout.len()), (0, &[][..], 2), "{ended:?}");
    assert!(ended.stdout[0].starts_with(&format!("after {limit}: ENOMEM")), "{ended:?}");
    assert!(ended.stdout[1].starts_with(&format!("{limit} fired")), "{ended:?}");
}

#[test]
fn one_handle_more_than_allowed_is_enomem() {
    refuses_after(10, &["--max-handles", "10"]);
    refuses_after(0, &["--max-handles", "0"]);
}

#[test]
fn without_an_option_65536_handles_are_allowed() {
    refuses_after(65_536, &[]);
}

/// The guests of the library's own tests, with limits that come from the command line.
#[test]
fn max_handles_and_max_loops_limit_all_kinds() {
    let options = ["--max-handles", "5", "--wake", "tick", "--wake", "tock"];
    ended(&options, HANDLE_LIMIT, &[]).printed(&[]);
    ended(&["--max-loops", "3"], EVENT_LOOP_LIMIT, &[]).printed(&[]);
}

#[test]
fn one_descriptor_more_than_allowed_is_emfile() {
    let options = ["--stdin", "--stdout-as", "out", "--max-descriptors"];
    let run = |limit| ended(&[&options[..], &[limit]].concat(), UV_RUN_DESCRIPTORS_COPY, &["stdin", "out"]);
    assert_eq!(run("2").code, 0);
    let refused = run("1");
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.join("\n").contains("EMFILE"), "{refused:?}");
}

#[test]
fn uv_run_limits_memory() {
    ended(&[], UV_RUN_LIMITS_MEMORY, &["64", "1"]).printed(&["64 MiB: granted", "1 MiB: granted"]);
    ended(&["--max-memory", "16M"], UV_RUN_LIMITS_MEMORY, &["64", "1"])
        .printed(&["64 MiB: refused", "1 MiB: granted"]);
}

#[test]
fn a_guest_that_can_not_do_without_memory_traps_and_the_limit_is_named() {
    let ended = ended(&["--max-memory", "16M"], UV_RUN_LIMITS_MEMORY, &["1", "must", "64", "1"]);
    assert_eq!((ended.code, &ended.stdout[..]), (1, &["1 MiB: granted".to_owned()][..]), "{ended:?}");
    let expected = "uv-run: it had asked for more memory than --max-memory allows";
    assert!(ended.stderr.contains(&expected.to_owned()), "{ended:?}");
}
