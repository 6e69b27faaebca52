//! `/metrics`: the plugins in the text format of Prometheus and OpenMetrics.

use crate::host::Host;
use crate::status::State;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::time::Instant;
use uv_handles_host::Lateness;

pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics as they are now.
pub fn text(host: &Host) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("plugin");
    registry.register_collector(Box::new(Plugins::new(host)));
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(text)
}

/// The metrics of each plugin, all of one moment.
#[derive(Debug)]
struct Plugins(Vec<Plugin>);

#[derive(Debug)]
struct Plugin {
    name: String,
    state: State,
    callbacks: u64,
    timers: u64,
    lateness: Lateness,
    memory: u64,
    memory_limit: u64,
    restarts: u64,
    accepted: u64,
    refused: u64,
}

impl Plugins {
    fn new(host: &Host) -> Plugins {
        let now = Instant::now();
        let plugin = |(name, status): (String, crate::status::Shared)| {
            let status = status.lock();
            let (view, total) = (status.view(&name, now), status.total());
            Plugin {
                name,
                state: view.state,
                callbacks: total.callbacks,
                timers: total.timers,
                lateness: total.lateness,
                memory: view.memory as u64,
                memory_limit: view.memory_limit as u64,
                restarts: view.restarts,
                accepted: view.messages.accepted,
                refused: view.messages.refused,
            }
        };
        Plugins(host.statuses().into_iter().map(plugin).collect())
    }

    /// A metric that each plugin has once.
    fn each(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help, unit): (&str, &str, Option<Unit>),
        kind: MetricType,
        encode: impl Fn(&Plugin, MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        let mut metric = encoder.encode_descriptor(name, help, unit.as_ref(), kind)?;
        for plugin in &self.0 {
            encode(plugin, metric.encode_family(&[("plugin", &plugin.name[..])])?)?;
        }
        Ok(())
    }

    fn counter(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        value: impl Fn(&Plugin) -> u64,
    ) -> fmt::Result {
        self.each(encoder, (name, help, None), MetricType::Counter, |plugin, metric| {
            ConstCounter::new(value(plugin)).encode(metric)
        })
    }

    fn bytes(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        value: impl Fn(&Plugin) -> u64,
    ) -> fmt::Result {
        self.each(encoder, (name, help, Some(Unit::Bytes)), MetricType::Gauge, |plugin, metric| {
            ConstGauge::new(value(plugin)).encode(metric)
        })
    }
}

impl Collector for Plugins {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        let mut states = encoder.encode_descriptor(
            "state",
            "1 for the state that a plugin is in",
            None,
            MetricType::Gauge,
        )?;
        for plugin in &self.0 {
            for state in State::ALL {
                let labels = [("plugin", &plugin.name[..]), ("state", state.name())];
                ConstGauge::new(u32::from(plugin.state == state)).encode(states.encode_family(&labels)?)?;
            }
        }
        self.counter(encoder, "callbacks", "Callbacks called", |plugin| plugin.callbacks)?;
        self.counter(encoder, "timers", "Callbacks of timers called", |plugin| plugin.timers)?;
        let lateness =
            ("timer_lateness", "How long after their deadlines timers were called", Some(Unit::Seconds));
        self.each(encoder, lateness, MetricType::Histogram, |plugin, mut metric| {
            let lateness = &plugin.lateness;
            let bounds = Lateness::BOUNDS.map(|milliseconds| milliseconds as f64 / 1e3);
            let bounds = bounds.into_iter().chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(lateness.counts).collect();
            let count = lateness.counts.iter().sum();
            metric.encode_histogram::<NoLabelSet>(lateness.total.as_secs_f64(), count, &buckets, None)
        })?;
        self.bytes(encoder, "memory", "Memory in use", |plugin| plugin.memory)?;
        self.bytes(encoder, "memory_limit", "Memory that may be used", |plugin| plugin.memory_limit)?;
        self.counter(encoder, "restarts", "Starts after the first", |plugin| plugin.restarts)?;
        self.counter(
            encoder,
            "messages_accepted",
            "Messages by HTTP that went into its mailbox",
            |plugin| plugin.accepted,
        )?;
        self.counter(encoder, "messages_refused", "Messages by HTTP that did not", |plugin| plugin.refused)
    }
}
