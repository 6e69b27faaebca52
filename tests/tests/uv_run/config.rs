//! A guest's WASI grants, and the configuration file, which accepts all options.

// Unix sockets and signals.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use uv_handles_tests::os::{patient, place, read_exactly};
use uv_handles_tests::process::{Ended, Process, ended, find, uv_run};
use uv_handles_tests::*;

foreach_uv_run_config!(assert_test_exists);

const LINE_STATS: &str = "line-stats";

#[test]
fn uv_run_config_wasi() {
    let (own, fixed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(own.path().join("a"), "first").unwrap();
    fs::write(fixed.path().join("b"), "second").unwrap();
    let dir = format!("{}::/own", own.path().display());
    let dir_ro = format!("{}::/fixed", fixed.path().display());
    let options = ["--env", "LEVEL=3=4", "--env", "FROM_OUTSIDE", "--dir", &dir, "--dir-ro", &dir_ro];
    let mut command = uv_run(&options, UV_RUN_CONFIG_WASI);
    command.args(["/own", "/fixed", "/etc"]).env("FROM_OUTSIDE", "yes").env("NOT_GRANTED", "no");
    let mut process = Process::spawn(command);
    assert_eq!(process.exit_code(), 0);
    assert_eq!(
        process.stdout.all(),
        [
            "FROM_OUTSIDE=yes",
            "LEVEL=3=4",
            "/own/a: first",
            "/own: written",
            "/fixed/b: second",
            "/fixed: not written",
            "/etc: not there",
        ]
    );
    assert_eq!(fs::read_to_string(own.path().join("written")).unwrap(), "by the guest");
    assert!(!fixed.path().join("written").exists());
}

/// A run with this configuration file and these further options.
fn configured(config: &str, options: &[&str], guest: impl Into<Case>, args: &[&str]) -> Ended {
    let (_dir, path) = place();
    fs::write(&path, config).unwrap();
    ended(&[&["--config", &path], options].concat(), guest, args)
}

#[test]
fn a_configuration_file_equals_the_options() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a"), "first").unwrap();
    let dir = format!("{}::/fixed", dir.path().display());
    let by_options = ended(&["--env", "LEVEL=3", "--dir-ro", &dir], UV_RUN_CONFIG_WASI, &["/fixed"]);
    by_options.printed(&["LEVEL=3", "/fixed/a: first", "/fixed: not written"]);
    let config = format!("env = {{ LEVEL = 3 }}\ndir-ro = [\"{dir}\"]\n");
    assert_eq!(configured(&config, &[], UV_RUN_CONFIG_WASI, &["/fixed"]), by_options);

    let options = ["--max-handles", "10", "--virtual-time", "--timeout", "3600"];
    let by_options = ended(&options, UV_RUN_LIMITS_MANY_TIMERS, &["11"]);
    let config = "max-handles = 10\nvirtual-time = true\ntimeout = 3600.0\n";
    assert_eq!(configured(config, &[], UV_RUN_LIMITS_MANY_TIMERS, &["11"]), by_options);

    let options = ["--max-memory", "16M", "--no-cache"];
    let by_options = ended(&options, UV_RUN_LIMITS_MEMORY, &["64"]);
    let config = "max-memory = \"16M\"\nno-cache = true\n";
    assert_eq!(configured(config, &[], UV_RUN_LIMITS_MEMORY, &["64"]), by_options);

    let by_options = ended(&["--timeout", "0.25"], UV_RUN_TIME_NEVER_ENDS, &["sleeps"]);
    assert_eq!(by_options.code, 124);
    let by_config = configured("timeout = 0.25", &[], UV_RUN_TIME_NEVER_ENDS, &["sleeps"]);
    assert_eq!((by_config.code, by_config.stderr), (124, by_options.stderr));
}

#[test]
fn a_configuration_file_grants_descriptors_signals_and_wake_ups() {
    let (dir, config) = place();
    let socket = dir.path().join("socket");
    let text = format!(
        "stdin = true\nsignal = [\"hup,int\", \"term\"]\nwake = {{ print = \"usr1\" }}\n\
         [unix-listen]\nclients = \"{}\"\n",
        socket.display()
    );
    fs::write(&config, text).unwrap();
    let mut command = uv_run(&["--config", &config], LINE_STATS);
    command.stdin(Stdio::piped());
    let mut process = Process::spawn(command);
    let mut stdin = process.stdin();
    find(&mut process, "summary");
    stdin.write_all(b"one\ntwo\n").unwrap();
    let mut client = patient(UnixStream::connect(&socket).unwrap());
    client.write_all(b"three\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_exactly(&mut client, 26), b"you sent 1 lines, 6 bytes\n");
    while !find(&mut process, "summary").starts_with("3 lines, 14 bytes, 1 clients") {}
    process.kill(libc::SIGUSR1);
    find(&mut process, "summary");
    process.kill(libc::SIGHUP);
    assert!(find(&mut process, "reset").starts_with("3 lines"));
    process.kill(libc::SIGTERM);
    assert!(find(&mut process, "final summary").starts_with("0 lines"));
    assert_eq!(process.exit_code(), 0);
    assert!(process.stderr.all().is_empty(), "nothing was denied");
    assert!(!socket.exists());
}

#[test]
fn the_command_line_has_precedence_over_the_configuration_file() {
    let config = "max-handles = 10\nvirtual-time = true\n[env]\nLEVEL = 1\nOTHER = 2\n";
    let ended = configured(config, &["--max-handles", "20"], UV_RUN_LIMITS_MANY_TIMERS, &["21"]);
    assert!(ended.stdout[0].starts_with("after 20: ENOMEM"), "{ended:?}");
    configured(config, &["--env", "LEVEL=7"], UV_RUN_CONFIG_WASI, &[]).printed(&["LEVEL=7", "OTHER=2"]);
}
