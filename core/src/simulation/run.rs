//! The run of a scenario: simulated time, one step after the other.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::authority::Authority;
use super::expect::{ExpectationKey as Key, Findings, check};
use super::host::{Host, HostError, Keys, Received};
use super::keys::{KeyRing, SignedToken};
use super::model::{
    AccountChange, Action, Authentication, Delivery, Expect, KeyOwner, Mover, Network, Party,
    ResourceRequest, Scenario, Step,
};
use super::report::{EventView, Lane, LineKind, RequestView, StepReport, Summary, TokenView};
use super::summary;
use super::tokens::{overlay, random};
use crate::challenge;
use crate::decision::Outcome;
use crate::decision::request::{DirectoryFacts, Request};
use crate::engine::{Conversation, Verdict};
use crate::json::{self, Limits, Map, Value};
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

/// A token that a client holds.
#[derive(Clone)]
struct Held {
    name: Option<String>,
    token: SignedToken,
}

/// A 401 that a client has in hand.
#[derive(Clone)]
struct Challenged {
    header: String,
    request: ResourceRequest,
}

/// A SET on its way.
struct UnderWay<'s> {
    step: usize,
    transmitter: &'s str,
    set: SignedToken,
    issued: UnixTime,
    nth: usize,
    delivery: &'s Delivery,
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
            Action::PolicyChange {
                issuer,
                policies,
                named_locations,
                settings,
            } => {
                let mut engine = self.engine.clone();
                if let Some(place) = self.configured(&mut engine, issuer.as_deref()) {
                    for (name, value) in
                        [("policies", policies), ("namedLocations", named_locations)]
                    {
                        if let Some(value) = value {
                            place.insert(name.to_string(), value.clone());
                        }
                    }
                }
                if let Some(settings) = settings {
                    let old = engine.entry("settings").or_insert(Value::Null);
                    merge_patch(old, settings);
                }
                self.reconfigure(at, step, engine)?;
            }
            Action::NetworkChange { who, network } => self.relocate(at, step, who, network),
            Action::KeyRotation {
                owner,
                signing,
                published,
                fetched,
            } => self.rotate_keys(at, step, owner, signing.as_deref(), published.as_deref(), *fetched)?,
            Action::Advance => {
                let summary = format!("{} later", summary::span(self.elapsed(at.time)));
                let line = self.line(at, LineKind::Advance, Lane::Resource, Lane::Resource, summary);
                self.emit(step, line, &Findings::new());
            }
        }
        Ok(())
    }

    /// A client asks for a token, with the challenge in `header` if it has one.
    fn ask_issuer(
        &mut self,
        at: At,
        kind: LineKind,
        party: &Party,
        authentication: &'s Authentication,
        header: Option<&str>,
    ) -> Result<(StepReport, Findings), HostError<C::Error>> {
        let number = random(self.scenario.seed, at.step);
        let from = Lane::Client(party.client.clone());
        let sign_in = self
            .authority
            .sign_in(party, authentication, header, at.time, number);
        let Some(sign_in) = sign_in else {
            // The reader has checked every name.
            let line = self.line(at, kind, from.clone(), from, String::new());
            return Ok((line, Findings::new()));
        };
        let to = Lane::Issuer(sign_in.issuer_name.to_owned());
        let answer_text = self.host.engine.sign_in(&sign_in.request)?;
        let answer = json::parse(answer_text.as_bytes(), Limits::DOCUMENT).unwrap_or_default();
        let token = self.authority.issue(&sign_in, &answer);
        let member = |name: &str| answer.get(name).cloned().unwrap_or_default();
        let findings = alloc::vec![
            (Key::Issuer, member("result")),
            (Key::IssuerCode, member("code")),
            (Key::Unmet, member("unmet")),
            (Key::Lifetime, member("lifetimeSeconds")),
            (
                Key::TokenClaims,
                token.as_ref().map_or(Value::Null, |token| token.claims.clone())
            ),
        ];
        let mut line = self.line(at, kind, from, to, summary::sign_in(party, authentication, &answer));
        line.issuer_request = Some(sign_in.request);
        line.issuer_answer = Some(answer_text);
        if let Some(token) = token {
            let held = Held {
                name: authentication.token_name.clone(),
                token,
            };
            line.token = Some(held.view());
            if let Some(name) = &authentication.token_name {
                self.tokens.insert(name, held.clone());
            }
            self.latest.insert(party.clone(), held);
        }
        Ok((line, findings))
    }

    /// A client asks the resource.
    fn ask_resource(
        &mut self,
        at: At,
        request: &ResourceRequest,
    ) -> Result<(StepReport, Findings), HostError<C::Error>> {
        let held = match &request.token {
            Some(name) => self.tokens.get(name.as_str()),
            None => self.latest.get(&request.party),
        };
        let held = held.cloned();
        let address = request
            .address
            .clone()
            .or_else(|| self.authority.network(&request.party).resource_sees);
        let verdict = self.ask_engine(at.time, request, held.as_ref(), address.as_deref())?;
        let parsed = verdict.www_authenticate.as_deref().map(challenge::parse);
        let claims = parsed.as_ref().and_then(|parsed| parsed.claims.as_deref());
        let claims = claims.and_then(|text| json::parse(text.as_bytes(), Limits::TOKEN).ok());
        let evaluation = verdict
            .json
            .as_deref()
            .and_then(|text| json::parse(text.as_bytes(), Limits::DOCUMENT).ok());
        let parameters = parsed.map(|parsed| {
            let parameters = parsed.parameters.into_iter();
            parameters.map(|(name, value)| (name, value.into())).collect()
        });
        let findings = alloc::vec![
            (Key::Decision, verdict.outcome.as_str().into()),
            (Key::Status, verdict.status.into()),
            (Key::Reasons, verdict.reasons.clone().into()),
            (Key::Parameters, parameters.map_or(Value::Null, Value::Object)),
            (Key::Claims, claims.clone().unwrap_or_default()),
            (
                Key::Undetermined,
                evaluation
                    .and_then(|it| it.get("undetermined").cloned())
                    .unwrap_or_default()
            ),
        ];
        match (&verdict.outcome, &verdict.www_authenticate) {
            (Outcome::Challenge, Some(header)) => {
                let challenged = Challenged {
                    header: header.clone(),
                    request: request.clone(),
                };
                self.challenges.insert(request.party.clone(), challenged);
            }
            _ => {
                self.challenges.remove(&request.party);
            }
        }
        let mut line = self.line(
            at,
            LineKind::Request,
            Lane::Client(request.party.client.clone()),
            Lane::Resource,
            summary::request(&request.party, address.as_deref(), &verdict),
        );
        line.token = held.map(|held| held.view());
        line.request = Some(RequestView {
            client_ip: address,
            country: request.country.clone(),
            scheme: request.scheme.clone(),
            path: request.path.clone(),
        });
        line.evaluation = verdict.json;
        line.www_authenticate = verdict.www_authenticate;
        line.claims_request = claims;
        Ok((line, findings))
    }

    fn ask_engine(
        &mut self,
        now: UnixTime,
        request: &ResourceRequest,
        held: Option<&Held>,
        address: Option<&str>,
    ) -> Result<Verdict, HostError<C::Error>> {
        let member_of = borrowed(request.facts.member_of.as_ref());
        let roles = borrowed(request.facts.roles.as_ref());
        let ages = request.signal_age.iter();
        let signal_age: Vec<_> = ages.map(|(issuer, age)| (issuer.as_str(), *age)).collect();
        let question = Request {
            now,
            client_ip: address,
            country: request.country.as_deref(),
            scheme: request.scheme.as_deref(),
            path: request.path.as_deref(),
            facts: DirectoryFacts {
                member_of: member_of.as_deref(),
                roles: roles.as_deref(),
                user_type: request.facts.user_type.as_deref(),
                client_app_type: request.facts.client_app_type.as_deref(),
                platform: request.facts.platform.as_deref(),
                device_compliant: request.facts.device_compliant,
            },
            signal_age: &signal_age,
        };
        let token = held.map_or("", |held| held.token.compact.as_str());
        self.host.ask(token, &question, request.confirmed.as_deref())
    }

    /// The client takes its last challenge to the issuer and, with the new token, asks again.
    fn retry(
        &mut self,
        at: At,
        step: &'s Step,
        party: &'s Party,
        authentication: &'s Authentication,
    ) -> Result<(), HostError<C::Error>> {
        let handles = self.scenario.clients.get(&party.client);
        let challenged = self.challenges.get(party).cloned();
        let challenged = challenged.filter(|_| handles.is_some_and(|it| it.handles_challenges));
        let Some(challenged) = challenged else {
            let client = Lane::Client(party.client.clone());
            let summary = summary::not_asked(party);
            let line = self.line(at, LineKind::ClientRetry, client.clone(), client, summary);
            self.emit(step, line, &alloc::vec![(Key::Issuer, "notAsked".into())]);
            return Ok(());
        };
        let (line, mut findings) = self.ask_issuer(
            at,
            LineKind::ClientRetry,
            party,
            authentication,
            Some(&challenged.header),
        )?;
        if line.token.is_none() {
            self.emit(step, line, &findings);
            return Ok(());
        }
        // What the issuer answered is judged on its line, what the resource answered on the next.
        let (issuer, resource): (Expect, Expect) = step
            .expect
            .iter()
            .cloned()
            .partition(|(key, _)| findings.iter().any(|(found, _)| found == key));
        self.emit_with(&issuer, step.note.as_deref(), line, &findings);
        let repeated = ResourceRequest {
            token: None,
            ..challenged.request
        };
        let (line, found) = self.ask_resource(at, &repeated)?;
        findings = found;
        self.emit_with(&resource, None, line, &findings);
        Ok(())
    }

    fn sign_event(
        &mut self,
        at: At,
        step: &'s Step,
        transmitter: &'s str,
        claims: &Map<String, Value>,
        header: &Map<String, Value>,
        deliveries: &'s [Delivery],
    ) {
        let Some(owner) = self.scenario.transmitters.get(transmitter) else {
            return;
        };
        let Some(ring) = self.transmitters.get(transmitter) else {
            return;
        };
        let id = random(self.scenario.seed, at.step);
        let mut filled = Map::new();
        filled.insert("iss".to_string(), owner.issuer.as_str().into());
        if let Some(audience) = &owner.audience {
            filled.insert("aud".to_string(), audience.as_str().into());
        }
        filled.insert("iat".to_string(), at.time.as_secs().into());
        filled.insert("jti".to_string(), format!("{id:016x}").into());
        overlay(&mut filled, Some(claims));
        let mut full_header = Map::from_iter([("typ".to_string(), "secevent+jwt".into())]);
        overlay(&mut full_header, Some(header));
        let set = ring.sign(full_header, &Value::Object(filled));
        let lane = Lane::Transmitter(transmitter.to_owned());
        let summary = summary::event_signed(&set.claims);
        let mut line = self.line(at, LineKind::Event, lane.clone(), lane, summary);
        line.event = Some(event_view(&set, at.time, None));
        self.emit_with(&[], step.note.as_deref(), line, &Findings::new());
        for (nth, delivery) in deliveries.iter().enumerate() {
            self.under_way.push(UnderWay {
                step: at.step,
                transmitter,
                set: set.clone(),
                issued: at.time,
                nth: nth.saturating_add(1),
                delivery,
            });
        }
        // Stable: what was sent first arrives first within one second.
        self.under_way.sort_by_key(|event| event.delivery.time);
    }

    fn deliver_until(&mut self, time: UnixTime) -> Result<(), HostError<C::Error>> {
        let due = self
            .under_way
            .partition_point(|event| event.delivery.time <= time);
        let later = self.under_way.split_off(due);
        for event in core::mem::replace(&mut self.under_way, later) {
            self.deliver(&event)?;
        }
        Ok(())
    }

    fn deliver(&mut self, event: &UnderWay<'s>) -> Result<(), HostError<C::Error>> {
        let at = At {
            step: event.step,
            time: event.delivery.time,
        };
        let received = self.host.receive(&event.set.compact, at.time)?;
        let findings = match &received {
            Received::Accepted { changes, .. } => alloc::vec![
                (Key::Accepted, true.into()),
                (Key::Duplicate, false.into()),
                (Key::Changes, (*changes).into()),
            ],
            Received::Duplicate { .. } => alloc::vec![
                (Key::Accepted, true.into()),
                (Key::Duplicate, true.into()),
                (Key::Changes, 0.into()),
            ],
            Received::Rejected { code, .. } => alloc::vec![
                (Key::Accepted, false.into()),
                (Key::Err, (*code).into()),
                (Key::Changes, 0.into()),
            ],
        };
        let mut line = self.line(
            at,
            LineKind::Delivery,
            Lane::Transmitter(event.transmitter.to_owned()),
            Lane::Resource,
            summary::event_received(&event.set.claims, &received),
        );
        line.event = Some(event_view(&event.set, event.issued, Some(event.nth)));
        let (Received::Accepted { reading, .. }
        | Received::Duplicate { reading }
        | Received::Rejected { reading, .. }) = received;
        line.event_reading = Some(reading);
        self.emit_with(&event.delivery.expect, None, line, &findings);
        Ok(())
    }

    fn change_account(&mut self, at: At, step: &Step, user: &str, change: &AccountChange) {
        let good = self.authority.change(user, change, at.time);
        let found = good.map(|good| if good { "valid" } else { "revoked" });
        let issuer = self.scenario.users.get(user).map(|user| user.issuer.clone());
        let line = self.line(
            at,
            LineKind::AccountChange,
            Lane::Administrator,
            Lane::Issuer(issuer.unwrap_or_default()),
            summary::account_change(user, change),
        );
        self.emit(step, line, &alloc::vec![(Key::RefreshTokens, found.into())]);
    }

    /// Where policies of `issuer`, or of all, stand in the configuration.
    fn configured<'e>(
        &self,
        engine: &'e mut Map<String, Value>,
        issuer: Option<&str>,
    ) -> Option<&'e mut Map<String, Value>> {
        let Some(name) = issuer else {
            return Some(engine);
        };
        let url = &self.scenario.issuers.get(name)?.configured_as;
        let issuers = engine.get_mut("issuers")?.as_array_mut()?;
        let entry = issuers
            .iter_mut()
            .find(|entry| entry.get("issuer").and_then(Value::as_str) == Some(url));
        entry?.as_object_mut()
    }

    fn reconfigure(
        &mut self,
        at: At,
        step: &Step,
        engine: Map<String, Value>,
    ) -> Result<(), HostError<C::Error>> {
        let faults = self.host.reconfigure(&engine)?;
        let count = count(&faults);
        if count == Some(0) {
            self.engine = engine;
        }
        let summary = summary::policy_change(count);
        let mut line = self.line(
            at,
            LineKind::PolicyChange,
            Lane::Administrator,
            Lane::Resource,
            summary,
        );
        line.faults = Some(faults);
        self.emit(step, line, &alloc::vec![(Key::Faults, count.into())]);
        Ok(())
    }

    fn relocate(&mut self, at: At, step: &Step, who: &Mover, network: &Network) {
        self.authority.relocate(who, network);
        let lane = match who {
            Mover::User(user) => Lane::User(user.clone()),
            Mover::Client(client) => Lane::Client(client.clone()),
        };
        let summary = summary::network_change(who, network);
        let line = self.line(at, LineKind::NetworkChange, lane.clone(), lane, summary);
        self.emit(step, line, &Findings::new());
    }

    fn rotate_keys(
        &mut self,
        at: At,
        step: &Step,
        owner: &KeyOwner,
        signing: Option<&str>,
        published: Option<&[String]>,
        fetched: bool,
    ) -> Result<(), HostError<C::Error>> {
        let (ring, url, lane) = match owner {
            KeyOwner::Issuer(name) => (
                self.authority.rings.get_mut(name.as_str()),
                self.scenario.issuers.get(name).map(|it| &it.configured_as),
                Lane::Issuer(name.clone()),
            ),
            KeyOwner::Transmitter(name) => (
                self.transmitters.get_mut(name.as_str()),
                self.scenario.transmitters.get(name).map(|it| &it.issuer),
                Lane::Transmitter(name.clone()),
            ),
        };
        let (Some(ring), Some(url)) = (ring, url) else {
            return Ok(());
        };
        if let Some(signing) = signing {
            signing.clone_into(&mut ring.signing);
        }
        if let Some(published) = published {
            published.clone_into(&mut ring.published);
        }
        let summary = summary::key_rotation(ring, fetched);
        let jwks = ring.jwks();
        let faults = self.host.rotate(url, jwks, fetched)?;
        let count = count(&faults);
        let to = if fetched { Lane::Resource } else { lane.clone() };
        let mut line = self.line(at, LineKind::KeyRotation, lane, to, summary);
        line.faults = Some(faults);
        self.emit(step, line, &alloc::vec![(Key::Faults, count.into())]);
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

impl Held {
    fn view(&self) -> TokenView {
        TokenView {
            name: self.name.clone(),
            compact: self.token.compact.clone(),
            header: self.token.header.clone(),
            claims: self.token.claims.clone(),
        }
    }
}

fn event_view(set: &SignedToken, issued: UnixTime, delivery: Option<usize>) -> EventView {
    EventView {
        compact: set.compact.clone(),
        header: set.header.clone(),
        claims: set.claims.clone(),
        issued: issued.as_secs(),
        delivery,
    }
}

fn borrowed(texts: Option<&Vec<String>>) -> Option<Vec<&str>> {
    texts.map(|texts| texts.iter().map(String::as_str).collect())
}

/// How many faults a JSON list holds; `None` if it is none.
fn count(faults: &str) -> Option<usize> {
    let faults = json::parse(faults.as_bytes(), Limits::DOCUMENT).ok()?;
    faults.as_array().map(Vec::len)
}

/// RFC 7396 §2.
fn merge_patch(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(members) = target.as_object_mut() else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            merge_patch(members.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merge_patch_of_rfc_7396() {
        for (target, patch, merged) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!(null), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
            (json!({"a": "foo"}), json!(["c"]), json!(["c"])),
        ] {
            let mut found = target;
            merge_patch(&mut found, &patch);
            assert_eq!(found, merged, "{patch}");
        }
    }
}
