//! The scripts of examples/javascript, as a user runs them.

// Signals and Unix sockets.
#![cfg(unix)]

use uv_handles_tests::http_server::{response, server, silence, text};
use uv_handles_tests::script::{Ended, JAVASCRIPT};
use uv_handles_tests::{chat, line_stats};

#[test]
fn first_timer() {
    Ended::of(JAVASCRIPT.example(&["--virtual-time"], "first_timer")).printed(&["half a second later"]);
}

#[test]
fn line_stats_prints_what_the_guest_in_rust_prints() {
    line_stats::prints_what_the_guest_in_rust_prints(&JAVASCRIPT, 50_000);
}

#[test]
fn line_stats_serves_clients_and_answers_to_signals() {
    line_stats::serves_clients_and_answers_to_signals(&JAVASCRIPT);
}

#[test]
fn line_stats_without_anything_to_read_says_so() {
    line_stats::without_anything_to_read_says_so(&JAVASCRIPT);
}

#[test]
fn chat() {
    chat::guests_talk(&JAVASCRIPT);
}

#[test]
fn agent_fetches_with_a_timeout_and_retries() {
    let address = server([
        text(response("503 Service Unavailable", "", "later")),
        silence(),
        text("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf"),
        text(response("200 OK", "", "the answer")),
    ]);
    let grant = format!("--http={address}");
    let url = format!("http://{address}/a");
    let mut command = JAVASCRIPT.example(&[&grant], "agent");
    command.args(["--limit=500", "--backoff=1", &url]);
    let ended = Ended::of(command);
    let result = format!(r#"{{"url":"{url}","attempts":4,"status":200,"text":"the answer"}}"#);
    ended.printed(&[&result]);
    assert_eq!(ended.stderr[0], "attempt 1: status 503", "{ended:?}");
    assert_eq!(ended.stderr[1], "attempt 2: The operation was aborted due to timeout", "{ended:?}");
    assert!(ended.stderr[2].starts_with("attempt 3: ") && ended.stderr.len() == 3, "{ended:?}");

    // A failure that another attempt cannot change is not tried again.
    let mut command = JAVASCRIPT.example(&[], "agent");
    command.args(["http://denied.invalid/"]);
    let ended = Ended::of(command);
    let result = r#"{"url":"http://denied.invalid/","attempts":1,"error":"http://denied.invalid/: the host does not grant it"}"#;
    assert_eq!((ended.code, &ended.stdout[..]), (1, &[result.to_owned()][..]), "{ended:?}");

    let ended = Ended::of(JAVASCRIPT.example(&[], "agent"));
    assert_eq!((ended.code, ended.stdout.len()), (2, 0), "{ended:?}");
}
