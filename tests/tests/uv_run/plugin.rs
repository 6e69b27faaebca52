//! The command `uv-run` with plugins that export `uv:handles/plugin-life`.

use uv_handles_tests::process::ended;
#[cfg(unix)]
use uv_handles_tests::process::start;

/// Does what the words of its configuration say.
const PLUGIN: &str = "supervised-guest";

#[test]
fn the_arguments_are_the_configuration_and_the_end_is_that_of_the_loops() {
    let ended = ended(&[], PLUGIN, &["lines", "nothing"]);
    assert_eq!((ended.code, ended.stdout.len(), &ended.stderr[..]), (0, 10_000, &[][..]));
}

#[test]
fn a_plugin_that_refuses_its_configuration_says_why() {
    let unknown = ended(&[], PLUGIN, &["tock"]);
    let sentence = "uv-run: the plugin does not start: there is no word tock";
    assert_eq!((unknown.code, &unknown.stderr[..]), (1, &[sentence.to_owned()][..]));
    let missing = ended(&[], PLUGIN, &["stop"]);
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.iter().any(|line| line.contains("--wake stop")), "{missing:?}");
    let long = ended(&[], PLUGIN, &["refuse"]);
    assert!(long.code == 1 && long.stderr.iter().all(|line| line.len() < 1_000), "{}", long.stderr.len());
}

#[test]
fn a_trap_in_init_or_in_a_callback_is_reported() {
    let trapped = |code, stderr: &[String]| {
        assert_eq!(code, 1, "{stderr:?}");
        assert!(stderr.iter().any(|line| line.contains("the guest trapped")), "{stderr:?}");
    };
    let in_init = ended(&[], PLUGIN, &["trap-init"]);
    trapped(in_init.code, &in_init.stderr);
    let in_callback = ended(&[], PLUGIN, &["trap-tick"]);
    trapped(in_callback.code, &in_callback.stderr);
}

#[test]
#[cfg(unix)]
fn a_signal_stops_a_plugin_that_watches_for_it() {
    let options = ["--wake", "stop=usr1", "--wake", "mailbox"];
    let mut process = start(&options, PLUGIN, &["tick", "mailbox", "stop", "lines"]);
    // The handles exist before the lines are printed.
    assert_eq!(process.stdout.next_line().as_deref(), Some("line 0"));
    process.kill(libc::SIGUSR1);
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_plugin_that_waits_or_computes_without_end_is_timed_out() {
    for word in ["tick", "spin-init"] {
        let ended = ended(&["--timeout", "0.2"], PLUGIN, &[word]);
        assert_eq!(ended.code, 124, "{ended:?}");
    }
}

#[test]
fn a_plugin_without_that_export_is_refused_in_one_sentence() {
    let refused = ended(&[], "plugin-guest", &[]);
    assert_eq!(refused.code, 2, "{refused:?}");
    let [line] = &refused.stderr[..] else { panic!("{refused:?}") };
    assert!(line.contains("it is a plugin for an embedder (uv-run calls only those"), "{line}");
}
