//! The page: a table of the plugins. It works without scripts. Its script fetches the page every
//! second and replaces the table.

use crate::view::View;
use bytesize::{ByteSize, Display};
use humantime::{FormattedDuration, format_duration};
use maud::{DOCTYPE, Markup, html};
use std::time::Duration;
use uv_handles_host::supervisor::State;

pub const CSS: &str = include_str!("../static/page.css");
pub const JS: &str = include_str!("../static/page.js");

/// The columns of numbers.
const NUMBERS: [&str; 6] = ["Timers fired", "Callbacks/s", "Lateness", "Memory", "Restarts", "Messages"];

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
                @let count = plugins.iter().filter(|plugin| plugin.status.state == state).count();
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
                            @for title in NUMBERS { th scope="col" .number { (title) } }
                        }
                    }
                    @for plugin in plugins { (row(plugin)) }
                }
            }
        }
    }
}

fn row(view: &View) -> Markup {
    let plugin = &view.status;
    let stats = &plugin.stats;
    html! {
        tbody id={ "plugin-" (plugin.name) } data-state=(plugin.state.name()) {
            tr {
                th scope="row" {
                    span.name { (plugin.name) }
                    @for (name, address) in &view.listens {
                        span.detail { (name) " on " (address) }
                    }
                }
                td {
                    (badge(plugin.state))
                    span.detail {
                        @match plugin.starts_in {
                            Some(time) => { "starts in " (seconds(time + Duration::from_millis(999))) }
                            None => { "for " (seconds(plugin.since)) }
                        }
                    }
                }
                td.number { (grouped(stats.timers)) }
                td.number { (rate(plugin.callbacks_per_second)) span.detail { (grouped(stats.callbacks)) " in all" } }
                td.number {
                    @if stats.timers > 0 {
                        (format!("{:.1} ms", view.late_ms()))
                        span.detail { "at most " (stats.lateness.longest.as_millis()) " ms" }
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

fn bytes(bytes: usize) -> Display {
    ByteSize::b(bytes as u64).display().iec()
}

fn seconds(time: Duration) -> FormattedDuration {
    format_duration(Duration::from_secs(time.as_secs()))
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
        for (number, expected) in [(7, "7"), (1_000, "1\u{202f}000"), (1_234_567, "1\u{202f}234\u{202f}567")]
        {
            assert_eq!(grouped(number), expected);
        }
        assert_eq!((rate(0.25), rate(1_234.4)), ("0.2".into(), "1\u{202f}234".into()));
    }
}
