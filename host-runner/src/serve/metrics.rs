//! Metrics in the text format of Prometheus (OpenMetrics).

mod entra;

use std::fmt::{self, Debug};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use cae_core::decision::Outcome;
use cae_core::engine::Verdict;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use self::entra::EntraMetrics;
use super::service::Service;
use crate::clock;

/// Names and values of labels.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
struct Labels(Vec<(&'static str, String)>);

impl EncodeLabelSet for Labels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            (*name, value.as_str()).encode(encoder.encode_label())?;
        }
        Ok(())
    }
}

use prometheus_client::encoding::EncodeLabel as _;

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    decisions: Family<Labels, Counter>,
    /// That of most decisions, so that its labels are not put together for each.
    allowed: Counter,
    seconds: Histogram,
    events: Family<Labels, Counter>,
    signal_age: Family<Labels, Gauge>,
    unmatchable: Family<Labels, Gauge>,
    held: Family<Labels, Gauge>,
    records: Gauge,
    record_bytes: Gauge,
    engine_faults: Gauge,
    store_failing: Gauge,
    unsaved: Gauge,
    log_entries: Gauge,
    commits: Gauge,
    commit_seconds: Gauge<f64, AtomicU64>,
    reloads: Family<Labels, Gauge>,
    entra: EntraMetrics,
}

impl Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("cae");
        let decisions = Family::<Labels, Counter>::default();
        let buckets = [
            5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 0.1, 1.0,
        ];
        let allowed = counter(&decisions, "allow", "none");
        let seconds = Histogram::new(buckets);
        let events = Family::default();
        let signal_age = Family::default();
        let unmatchable = Family::default();
        let held = Family::default();
        let reloads = Family::default();
        let records = Gauge::default();
        let record_bytes = Gauge::default();
        let engine_faults = Gauge::default();
        let store_failing = Gauge::default();
        let unsaved = Gauge::default();
        let log_entries = Gauge::default();
        let commits = Gauge::default();
        let commit_seconds = Gauge::default();
        registry.register(
            "decisions",
            "Decisions by outcome and most decisive reason",
            decisions.clone(),
        );
        registry.register(
            "decision_seconds",
            "How long decisions took, with what they waited for",
            seconds.clone(),
        );
        registry.register(
            "events",
            "Security event tokens by transmitter and what became of them",
            events.clone(),
        );
        registry.register(
            "signal_age_seconds",
            "Since the last sign of life of a transmitter; -1 is never, or paused",
            signal_age.clone(),
        );
        registry.register(
            "unmatchable_events",
            "Events about subjects that no configured token can show",
            unmatchable.clone(),
        );
        registry.register(
            "held_events",
            "Events that wait for an operator because the brake holds",
            held.clone(),
        );
        registry.register("state_records", "Records in memory", records.clone());
        registry.register(
            "state_bytes",
            "Bytes of these records",
            record_bytes.clone(),
        );
        registry.register(
            "engine_faults",
            "Calls that the engine did not answer; each made a new instance",
            engine_faults.clone(),
        );
        registry.register(
            "store_failing",
            "1 while nothing can be written: no event is acknowledged",
            store_failing.clone(),
        );
        registry.register(
            "store_unsaved",
            "Changes that are in force without being on disk",
            unsaved.clone(),
        );
        registry.register(
            "store_log_entries",
            "Entries of the log of events",
            log_entries.clone(),
        );
        registry.register("store_commits", "Transactions", commits.clone());
        registry.register(
            "store_commit_seconds",
            "How long they took together",
            commit_seconds.clone(),
        );
        registry.register(
            "reloads",
            "Changes of the configuration by result",
            reloads.clone(),
        );
        let entra = EntraMetrics::register(&mut registry);
        Self {
            registry,
            entra,
            decisions,
            allowed,
            seconds,
            events,
            signal_age,
            unmatchable,
            held,
            records,
            record_bytes,
            engine_faults,
            store_failing,
            unsaved,
            log_entries,
            commits,
            commit_seconds,
            reloads,
        }
    }
}

impl Metrics {
    pub(crate) fn decided(&self, verdict: &Verdict, took: Duration) {
        match verdict.reasons.first() {
            None if verdict.outcome == Outcome::Allow => drop(self.allowed.inc()),
            reason => {
                let reason = reason.map_or("none", String::as_str);
                self.count_decision(verdict.outcome.as_str(), reason);
            }
        }
        self.seconds.observe(took.as_secs_f64());
    }

    /// A question that could not be read.
    pub(crate) fn malformed(&self) {
        self.count_decision("deny", "request_malformed");
    }

    fn count_decision(&self, outcome: &str, reason: &str) {
        // What a reason is about would make as many series as there are facts and policies.
        let reason = reason.split(':').next().unwrap_or(reason);
        counter(&self.decisions, outcome, reason).inc();
    }

    pub(crate) fn event(&self, transmitter: &str, outcome: &'static str) {
        let labels = Labels(vec![
            ("transmitter", transmitter.to_owned()),
            ("outcome", outcome.to_owned()),
        ]);
        self.events.get_or_create(&labels).inc();
    }

    /// Everything, as it is now.
    pub(crate) fn text(&self, service: &Service) -> String {
        let now = clock::now();
        let one = |name: &'static str, value: &str| Labels(vec![(name, value.to_owned())]);
        for (name, age) in service.signal_ages(now) {
            // The largest age stands for never.
            let age = i64::try_from(age).ok().filter(|age| *age < i64::MAX >> 1);
            self.signal_age
                .get_or_create(&one("transmitter", &name))
                .set(age.unwrap_or(-1));
        }
        let health = service.store.health();
        for ((transmitter, kind), count) in &health.unmatchable {
            let labels = Labels(vec![
                ("transmitter", transmitter.clone()),
                ("kind", kind.clone()),
            ]);
            self.unmatchable.get_or_create(&labels).set(signed(*count));
        }
        self.held.clear();
        for (transmitter, count) in &health.held {
            self.held
                .get_or_create(&one("transmitter", transmitter))
                .set(size(*count));
        }
        let (records, bytes) = service
            .store
            .read(|table| (table.len(), table.heap_bytes()));
        self.records.set(size(records));
        self.record_bytes.set(size(bytes));
        self.engine_faults
            .set(signed(service.engines.load().faults()));
        self.store_failing.set(i64::from(health.failing.is_some()));
        self.unsaved.set(signed(health.unsaved));
        self.log_entries.set(signed(health.log_entries));
        self.commits.set(signed(health.commits));
        self.commit_seconds.set(health.commit_seconds);
        let loaded = service.loaded();
        self.reloads
            .get_or_create(&one("result", "done"))
            .set(signed(loaded.reloads));
        self.reloads
            .get_or_create(&one("result", "failed"))
            .set(signed(loaded.failed_reloads));
        if let Some(tenant) = service.entra.load_full() {
            self.entra.set(&tenant);
        }
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn counter(decisions: &Family<Labels, Counter>, outcome: &str, reason: &str) -> Counter {
    let labels = Labels(vec![
        ("outcome", outcome.to_owned()),
        ("reason", reason.to_owned()),
    ]);
    decisions.get_or_create(&labels).clone()
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn size(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
