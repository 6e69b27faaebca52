//! The plugins of a supervisor as metrics of the crate `prometheus-client`.

use super::status::{PluginStatus, State};
use super::tasks::Supervisor;
use crate::plugin::{Durations, Lateness};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;
use std::time::Duration;

/// The metrics of all plugins of a [`Supervisor`], all of one moment. Register it with
/// `Registry::register_collector`; each metric has a label `plugin`.
pub struct PluginMetrics<T: 'static>(Supervisor<T>);

impl<T: 'static> PluginMetrics<T> {
    /// Creates the collector.
    pub fn new(supervisor: &Supervisor<T>) -> PluginMetrics<T> {
        PluginMetrics(supervisor.clone())
    }
}

impl<T: Send + 'static> Collector for PluginMetrics<T> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        Plugins(self.0.statuses()).encode(&mut encoder)
    }
}

impl<T> fmt::Debug for PluginMetrics<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginMetrics").finish_non_exhaustive()
    }
}

struct Plugins(Vec<PluginStatus>);

impl Plugins {
    /// A metric that each plugin has once.
    fn each(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help, unit): (&str, &str, Option<Unit>),
        kind: MetricType,
        encode: impl Fn(&PluginStatus, MetricEncoder<'_>) -> fmt::Result,
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
        value: impl Fn(&PluginStatus) -> u64,
    ) -> fmt::Result {
        self.each(encoder, (name, help, None), MetricType::Counter, |plugin, metric| {
            ConstCounter::new(value(plugin)).encode(metric)
        })
    }

    fn gauge(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        value: impl Fn(&PluginStatus) -> u64,
    ) -> fmt::Result {
        self.each(encoder, (name, help, None), MetricType::Gauge, |plugin, metric| {
            ConstGauge::new(value(plugin)).encode(metric)
        })
    }

    fn bytes(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        value: impl Fn(&PluginStatus) -> u64,
    ) -> fmt::Result {
        self.each(encoder, (name, help, Some(Unit::Bytes)), MetricType::Gauge, |plugin, metric| {
            ConstGauge::new(value(plugin)).encode(metric)
        })
    }

    fn histogram<const N: usize>(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help): (&str, &str),
        bounds: impl Iterator<Item = f64> + Clone,
        values: impl Fn(&PluginStatus) -> ([u64; N], Duration),
    ) -> fmt::Result {
        let descriptor = (name, help, Some(Unit::Seconds));
        self.each(encoder, descriptor, MetricType::Histogram, |plugin, mut metric| {
            let (counts, total) = values(plugin);
            let buckets: Vec<(f64, u64)> = bounds.clone().chain([f64::INFINITY]).zip(counts).collect();
            let count = counts.iter().sum();
            metric.encode_histogram::<NoLabelSet>(total.as_secs_f64(), count, &buckets, None)
        })
    }

    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
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
        self.counter(encoder, "callbacks", "Callbacks called", |plugin| plugin.stats.callbacks)?;
        self.counter(encoder, "timers", "Callbacks of timers called", |plugin| plugin.stats.timers)?;
        self.histogram(
            encoder,
            ("timer_lateness", "How long after their deadlines timers were called"),
            Lateness::BOUNDS.into_iter().map(|milliseconds| milliseconds as f64 / 1e3),
            |plugin| (plugin.stats.lateness.counts, plugin.stats.lateness.total),
        )?;
        self.histogram(
            encoder,
            ("callback_duration", "How long callbacks took"),
            Durations::BOUNDS.into_iter().map(|microseconds| microseconds as f64 / 1e6),
            |plugin| (plugin.stats.durations.counts, plugin.stats.durations.total),
        )?;
        self.gauge(encoder, "handles", "Open handles", |plugin| plugin.stats.handles)?;
        self.gauge(encoder, "mailbox_messages", "Messages that wait", |plugin| {
            plugin.stats.mailbox_messages
        })?;
        self.bytes(encoder, "mailbox", "Bytes of messages that wait", |plugin| plugin.stats.mailbox_bytes)?;
        self.bytes(encoder, "memory", "Memory in use", |plugin| plugin.memory as u64)?;
        self.bytes(encoder, "memory_limit", "Memory that may be used", |plugin| plugin.memory_limit as u64)?;
        self.counter(encoder, "restarts", "Starts after the first", |plugin| plugin.restarts)?;
        let accepted = "Messages that went into its mailbox";
        self.counter(encoder, "messages_accepted", accepted, |plugin| plugin.messages.accepted)?;
        self.counter(encoder, "messages_refused", "Messages that did not", |plugin| plugin.messages.refused)
    }
}
