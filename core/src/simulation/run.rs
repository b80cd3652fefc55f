//! The run of a scenario: simulated time, one step after the other.

mod changes;
mod events;
mod exchanges;

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use events::UnderWay;
use exchanges::{Challenged, Held};

use super::authority::Authority;
use super::expect::{ExpectationKey as Key, Findings, check};
use super::host::{Host, HostError, Keys};
use super::keys::KeyRing;
use super::model::{Action, Party, Scenario, Step};
use super::report::{Lane, LineKind, StepReport, Summary};
use super::summary;
use crate::engine::Conversation;
use crate::json::{Map, Value};
use crate::time::UnixTime;

/// Why a run ended before its timeline did.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RunError<B, E> {
    /// No engine could be made of the scenario's configuration.
    #[error("the engine could not be made: {0}")]
    Build(B),
    /// The engine could not be reached.
    #[error("the engine could not be reached: {0}")]
    Engine(E),
    /// The engine asked for the same thing over and over.
    #[error("step {step}: the engine does not come to a decision")]
    Unsettled {
        /// Position of the step in the timeline.
        step: usize,
    },
}

/// Runs `scenario` against the engine that `make_engine` makes of its configuration (`ENGINE.json` text), and hands
/// every line to `sink` as it happens.
///
/// An expectation that does not hold is reported and counted; the run goes on.
///
/// # Errors
/// [`RunError`] if the engine cannot be made or reached, or never settles.
pub fn run<C: Conversation, B>(
    scenario: &Scenario,
    make_engine: impl FnOnce(&str) -> Result<C, B>,
    sink: &mut dyn FnMut(&StepReport),
) -> Result<Summary, RunError<B, C::Error>> {
    let keys = initial_keys(scenario);
    let engine = make_engine(&keys.configuration(&scenario.engine)).map_err(RunError::Build)?;
    let transmitters = scenario.transmitters.iter();
    let mut run = Run {
        scenario,
        authority: Authority::new(scenario),
        transmitters: transmitters
            .map(|(name, transmitter)| (name.as_str(), KeyRing::new(&transmitter.keys)))
            .collect(),
        host: Host::new(engine, keys),
        engine: scenario.engine.clone(),
        tokens: BTreeMap::new(),
        latest: BTreeMap::new(),
        challenges: BTreeMap::new(),
        under_way: Vec::new(),
        summary: Summary::default(),
        sink,
    };
    let mut reached = 0;
    let ended = run.all_steps(&mut reached);
    ended.map_err(|error| match error {
        HostError::Engine(error) => RunError::Engine(error),
        HostError::Unsettled => RunError::Unsettled { step: reached },
    })?;
    Ok(run.summary)
}

impl Scenario {
    /// The engine configuration with which the run begins, keys filled in, as JSON text.
    #[must_use]
    pub fn configuration(&self) -> String {
        initial_keys(self).configuration(&self.engine)
    }
}

/// The keys published at first; the host has fetched them.
fn initial_keys(scenario: &Scenario) -> Keys {
    let mut keys = Keys::default();
    for issuer in scenario.issuers.values() {
        keys.publish(&issuer.configured_as, KeyRing::new(&issuer.keys).jwks());
    }
    for transmitter in scenario.transmitters.values() {
        keys.publish(&transmitter.issuer, KeyRing::new(&transmitter.keys).jwks());
    }
    keys.fetch_all();
    keys
}

struct Run<'s, 'k, C> {
    scenario: &'s Scenario,
    authority: Authority<'s>,
    transmitters: BTreeMap<&'s str, KeyRing<'s>>,
    host: Host<C>,
    /// The configuration in force, without keys.
    engine: Map<String, Value>,
    tokens: BTreeMap<&'s str, Held>,
    latest: BTreeMap<Party, Held>,
    challenges: BTreeMap<Party, Challenged>,
    under_way: Vec<UnderWay<'s>>,
    summary: Summary,
    sink: &'k mut dyn FnMut(&StepReport),
}

/// Position and time of what is being run.
#[derive(Clone, Copy)]
struct At {
    step: usize,
    time: UnixTime,
}

impl<'s, C: Conversation> Run<'s, '_, C> {
    fn all_steps(&mut self, reached: &mut usize) -> Result<(), HostError<C::Error>> {
        for (index, step) in self.scenario.timeline.iter().enumerate() {
            *reached = index;
            self.deliver_until(step.time)?;
            self.step(index, step)?;
            // What arrives at once arrives before the next step of the same second.
            self.deliver_until(step.time)?;
            self.summary.steps = self.summary.steps.saturating_add(1);
        }
        self.deliver_until(UnixTime::from_secs(u64::MAX))
    }

    fn step(&mut self, index: usize, step: &'s Step) -> Result<(), HostError<C::Error>> {
        let at = At {
            step: index,
            time: step.time,
        };
        match &step.action {
            Action::SignIn {
                party,
                authentication,
            } => {
                let line = self.ask_issuer(at, LineKind::SignIn, party, authentication, None)?;
                self.emit(step, line.0, &line.1);
            }
            Action::Request(request) => {
                let (report, findings) = self.ask_resource(at, request)?;
                self.emit(step, report, &findings);
            }
            Action::ClientRetry {
                party,
                authentication,
            } => self.retry(at, step, party, authentication)?,
            Action::Event {
                transmitter,
                claims,
                header,
                deliveries,
            } => self.sign_event(at, step, transmitter, claims, header, deliveries),
            Action::AccountChange { user, change } => self.change_account(at, step, user, change),
            Action::PolicyChange(change) => self.change_policies(at, step, change)?,
            Action::StateClear { subject, issuer } => {
                self.clear_state(at, step, subject, issuer.as_deref())?;
            }
            Action::NetworkChange { who, network } => self.relocate(at, step, who, network),
            Action::KeyRotation {
                owner,
                signing,
                published,
                fetched,
            } => self.rotate_keys(
                at,
                step,
                owner,
                signing.as_deref(),
                published.as_deref(),
                *fetched,
            )?,
            Action::Advance => {
                let summary = format!("{} after the start", summary::span(self.elapsed(at.time)));
                let line = self.line(
                    at,
                    LineKind::Advance,
                    Lane::Resource,
                    Lane::Resource,
                    summary,
                );
                self.emit(step, line, &Findings::new());
            }
        }
        Ok(())
    }

    fn elapsed(&self, time: UnixTime) -> u64 {
        time.since(self.scenario.start).as_secs()
    }

    fn line(&self, at: At, kind: LineKind, from: Lane, to: Lane, summary: String) -> StepReport {
        StepReport {
            step: at.step,
            time: at.time,
            elapsed: self.elapsed(at.time),
            kind,
            from,
            to,
            summary,
            note: None,
            token: None,
            event: None,
            request: None,
            evaluation: None,
            www_authenticate: None,
            claims_request: None,
            issuer_request: None,
            issuer_answer: None,
            event_reading: None,
            faults: None,
            expectations: Vec::new(),
        }
    }

    fn emit(&mut self, step: &Step, line: StepReport, findings: &Findings) {
        self.emit_with(&step.expect, step.note.as_deref(), line, findings);
    }

    fn emit_with(
        &mut self,
        expect: &[(Key, Value)],
        note: Option<&str>,
        mut line: StepReport,
        findings: &Findings,
    ) {
        line.expectations = check(expect, findings);
        line.note = note.map(ToOwned::to_owned);
        let failed = line.expectations.iter().filter(|it| !it.holds).count();
        self.summary.lines = self.summary.lines.saturating_add(1);
        self.summary.expectations = self
            .summary
            .expectations
            .saturating_add(line.expectations.len());
        self.summary.failed = self.summary.failed.saturating_add(failed);
        (self.sink)(&line);
    }
}
