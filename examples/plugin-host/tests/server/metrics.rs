//! `/metrics`: each line is one that Prometheus reads, and says the same as the page.

use crate::harness::{Directory, Server};
use std::collections::{HashMap, HashSet};

/// A line's metric, its labels, and its value.
fn sample(line: &str) -> (String, Vec<(String, String)>, f64) {
    let (name, rest) = line.split_once('{').unwrap_or_else(|| panic!("no labels: {line}"));
    let (labels, value) = rest.rsplit_once("} ").unwrap_or_else(|| panic!("no value: {line}"));
    assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{line}");
    let label = |label: &str| {
        let (key, value) = label.split_once('=').unwrap_or_else(|| panic!("{line}"));
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        (key.to_owned(), value.unwrap_or_else(|| panic!("{line}")).to_owned())
    };
    (name.into(), labels.split(',').map(label).collect(), value.parse().unwrap())
}

#[test]
fn the_metrics_can_be_read_and_add_up() {
    let directory = Directory::new();
    directory.plugin("ticks", "flaky", "config = { every = 2 }");
    directory.plugin("dead", "flaky", "nonsense");
    let server = Server::start(directory).loaded();
    server.in_state("dead", "failed");
    server.until("timers", |server| (server.plugin("ticks")["timers"].as_u64() >= Some(20)).then_some(()));
    assert_eq!(server.post("/plugins/ticks/message", b"a").code, 202);
    assert_eq!(server.post("/plugins/dead/message", b"a").code, 409);

    let answer = server.get("/metrics");
    assert_eq!(answer.code, 200);
    assert!(answer.head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{answer:?}");
    let text = answer.body.strip_suffix("# EOF\n").expect("the end is marked");
    let mut types = HashMap::new();
    let mut values = HashMap::new();
    let mut seen = HashSet::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let words: Vec<&str> = comment.splitn(3, ' ').collect();
            assert!(matches!(words[..], ["TYPE" | "HELP" | "UNIT", _, _]), "{line}");
            if words[0] == "TYPE" {
                assert!(types.insert(words[1], words[2]).is_none(), "twice: {line}");
            }
            continue;
        }
        assert!(seen.insert(line.rsplit_once(' ').unwrap().0.to_owned()), "twice: {line}");
        let (name, labels, value) = sample(line);
        let family = types.keys().find(|family| {
            name.strip_prefix(**family)
                .is_some_and(|rest| matches!(rest, "" | "_total" | "_sum" | "_count" | "_bucket"))
        });
        assert!(family.is_some(), "no type: {line}");
        assert_eq!(labels.iter().filter(|(key, _)| key == "plugin").count(), 1, "{line}");
        values.insert(line.rsplit_once(' ').unwrap().0.to_owned(), value);
    }
    assert_eq!(types["plugin_callbacks"], "counter");
    assert_eq!(types["plugin_timer_lateness_seconds"], "histogram");
    let value = |name: &str| values[name];
    assert_eq!(value("plugin_state{plugin=\"ticks\",state=\"running\"}"), 1.0);
    assert_eq!(value("plugin_state{plugin=\"dead\",state=\"failed\"}"), 1.0);
    assert_eq!(value("plugin_state{plugin=\"dead\",state=\"running\"}"), 0.0);
    assert!(value("plugin_timers_total{plugin=\"ticks\"}") >= 20.0);
    assert!(value("plugin_memory_bytes{plugin=\"ticks\"}") >= 65536.0);
    assert_eq!(value("plugin_messages_accepted_total{plugin=\"ticks\"}"), 1.0);
    assert_eq!(value("plugin_messages_refused_total{plugin=\"dead\"}"), 1.0);
    let all = value("plugin_timer_lateness_seconds_bucket{le=\"+Inf\",plugin=\"ticks\"}");
    assert_eq!(all, value("plugin_timer_lateness_seconds_count{plugin=\"ticks\"}"));
    assert_eq!(all, value("plugin_timers_total{plugin=\"ticks\"}"));
}
