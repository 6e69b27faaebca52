//! The page: a table of the plugins. It works without scripts. Its script fetches the page every
//! second and replaces the table.

use crate::view::View;
use maud::{DOCTYPE, Markup, html};
use uv_handles_host::supervisor::State;

pub const CSS: &str = include_str!("page.css");
pub const JS: &str = include_str!("page.js");

/// The whole page. `problem` is why the directory cannot be read.
pub fn page(plugins: &[View], problem: Option<&str>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Plugins" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/page.css";
                script src="/page.js" defer {}
                noscript { meta http-equiv="refresh" content="5"; }
            }
            body {
                header {
                    h1 { "Plugins" }
                    p.sub { "Hosted by uv-handles on one runtime" }
                }
                main #plugins { (table(plugins, problem)) }
                footer {
                    a href="/plugins" { "JSON" } " · " a href="/metrics" { "Metrics" }
                    " · a message: " code { "curl --data-binary TEXT " span #origin {} "/plugins/NAME/message" }
                }
            }
        }
    }
}

fn table(plugins: &[View], problem: Option<&str>) -> Markup {
    html! {
        ul.summary aria-label="How many plugins are in which state" {
            @for state in State::ALL {
                @let count = plugins.iter().filter(|plugin| plugin.state == state).count();
                @if count > 0 {
                    li { (badge(state)) " " strong { (count) } }
                }
            }
            @if plugins.is_empty() { li { "There is no plugin in the directory." } }
        }
        @if let Some(problem) = problem {
            p.problem role="status" { (problem) }
        }
        @if !plugins.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Plugins" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Plugin" }
                            th scope="col" { "State" }
                            th scope="col" .number { "Timers fired" }
                            th scope="col" .number { "Callbacks/s" }
                            th scope="col" .number { "Lateness" }
                            th scope="col" .number { "Memory" }
                            th scope="col" .number { "Restarts" }
                            th scope="col" .number { "Messages" }
                        }
                    }
                    @for plugin in plugins { (row(plugin)) }
                }
            }
        }
    }
}

fn row(plugin: &View) -> Markup {
    html! {
        tbody id={ "plugin-" (plugin.name) } data-state=(plugin.state.name()) {
            tr {
                th scope="row" {
                    span.name { (plugin.name) }
                    @for (name, address) in &plugin.listens {
                        span.detail { (name) " on " (address) }
                    }
                }
                td {
                    (badge(plugin.state))
                    span.detail {
                        @match plugin.starts_in {
                            Some(seconds) => { "starts in " (duration(seconds.ceil() as u64)) }
                            None => { "for " (duration(plugin.seconds)) }
                        }
                    }
                }
                td.number { (grouped(plugin.timers)) }
                td.number { (rate(plugin.callbacks_per_second)) span.detail { (grouped(plugin.callbacks)) " in all" } }
                td.number {
                    @if plugin.timers > 0 {
                        (milliseconds(plugin.late_ms))
                        span.detail { "at most " (plugin.latest_ms) " ms" }
                    } @else { (none()) }
                }
                td.number {
                    @if plugin.memory > 0 {
                        (bytes(plugin.memory))
                        meter min="0" max=(plugin.memory_limit) value=(plugin.memory)
                            title={ "of " (bytes(plugin.memory_limit)) } {}
                        span.detail { "of " (bytes(plugin.memory_limit)) }
                    } @else { (none()) }
                }
                td.number { (grouped(plugin.restarts)) }
                td.number {
                    (grouped(plugin.messages.accepted))
                    @if plugin.messages.refused > 0 {
                        span.detail { (grouped(plugin.messages.refused)) " refused" }
                    }
                }
            }
            @if let Some(reason) = &plugin.reason {
                tr.why { td colspan="8" { p.reason { strong { (plugin.name) ": " } (reason) } } }
            }
            @if let Some(problem) = &plugin.problem {
                tr.why { td colspan="8" {
                    p.problem { strong { (plugin.name) ": " } (problem) "; the version from before goes on" }
                } }
            }
        }
    }
}

fn badge(state: State) -> Markup {
    html! { span class={ "badge " (state.name()) } { (state.name().replace('-', " ")) } }
}

fn none() -> Markup {
    html! { span.none aria-label="none" { "–" } }
}

fn rate(rate: f64) -> String {
    if rate >= 100.0 { grouped(rate.round() as u64) } else { format!("{rate:.1}") }
}

fn milliseconds(milliseconds: f64) -> String {
    format!("{milliseconds:.1} ms")
}

/// A number of bytes with a unit.
fn bytes(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", trimmed(bytes as f64 / 1024.0)),
        1_048_576..1_073_741_824 => format!("{} MiB", trimmed(bytes as f64 / 1_048_576.0)),
        _ => format!("{} GiB", trimmed(bytes as f64 / 1_073_741_824.0)),
    }
}

/// With one digit behind the point, unless that is 0.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// A number with its digits in threes.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_people_say_them() {
        for (number, expected) in
            [(0, "0 B"), (1_023, "1023 B"), (1_536, "1.5 KiB"), (16 << 20, "16 MiB"), (3 << 29, "1.5 GiB")]
        {
            assert_eq!(bytes(number), expected);
        }
        for (seconds, expected) in
            [(59, "59 s"), (61, "1 min 1 s"), (7_260, "2 h 1 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(duration(seconds), expected);
        }
        for (number, expected) in [(7, "7"), (1_000, "1\u{202f}000"), (1_234_567, "1\u{202f}234\u{202f}567")]
        {
            assert_eq!(grouped(number), expected);
        }
        assert_eq!((rate(0.25), rate(1_234.4)), ("0.2".into(), "1\u{202f}234".into()));
    }
}
