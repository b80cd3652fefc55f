//! What a client says to issuer and resource.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::{At, Run};
use crate::challenge;
use crate::decision::Outcome;
use crate::decision::request::{DirectoryFacts, Request};
use crate::engine::{Conversation, Verdict};
use crate::json::{self, Limits, Map, Value};
use crate::simulation::expect::{ExpectationKey as Key, Findings};
use crate::simulation::host::HostError;
use crate::simulation::keys::SignedToken;
use crate::simulation::model::{Authentication, Expect, Party, ResourceRequest, Step};
use crate::simulation::report::{Lane, LineKind, RequestView, StepReport, TokenView};
use crate::simulation::summary;
use crate::simulation::tokens::random;
use crate::time::UnixTime;

/// A token that a client holds.
#[derive(Clone)]
pub(super) struct Held {
    name: Option<String>,
    token: SignedToken,
}

/// A 401 that a client has in hand.
#[derive(Clone)]
pub(super) struct Challenged {
    header: String,
    request: ResourceRequest,
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

impl<'s, C: Conversation> Run<'s, '_, C> {
    /// A client asks for a token, with the challenge in `header` if it has one.
    pub(super) fn ask_issuer(
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
            (Key::Policies, results(&answer)),
            (Key::SessionControls, member("sessionControls")),
            (
                Key::TokenClaims,
                token
                    .as_ref()
                    .map_or(Value::Null, |token| token.claims.clone())
            ),
        ];
        let mut line = self.line(
            at,
            kind,
            from,
            to,
            summary::sign_in(party, authentication, &answer),
        );
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
    pub(super) fn ask_resource(
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
            parameters
                .map(|(name, value)| (name, value.into()))
                .collect()
        });
        let findings = alloc::vec![
            (Key::Decision, verdict.outcome.as_str().into()),
            (Key::Status, verdict.status.into()),
            (Key::Reasons, verdict.reasons.clone().into()),
            (
                Key::Parameters,
                parameters.map_or(Value::Null, Value::Object)
            ),
            (Key::Claims, claims.clone().unwrap_or_default()),
            (
                Key::Policies,
                evaluation.as_ref().map_or(Value::Null, results)
            ),
            (
                Key::SessionControls,
                evaluation
                    .as_ref()
                    .and_then(|it| it.get("sessionControls").cloned())
                    .unwrap_or_default()
            ),
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
                external_user_type: request.facts.external_user_type.as_deref(),
                external_tenant: request.facts.external_tenant.as_deref(),
                device: request.facts.device.as_deref(),
            },
            signal_age: &signal_age,
        };
        let token = held.map_or("", |held| held.token.compact.as_str());
        self.host
            .ask(token, &question, request.confirmed.as_deref())
    }

    /// The client takes its last challenge to the issuer and, with the new token, asks again.
    pub(super) fn retry(
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
}

fn borrowed(texts: Option<&Vec<String>>) -> Option<Vec<&str>> {
    texts.map(|texts| texts.iter().map(String::as_str).collect())
}

/// The results of the policies in an answer, by their id.
fn results(answer: &Value) -> Value {
    let policies = answer.get("policies").and_then(Value::as_array);
    let result = |policy: &Value| {
        let id = policy.get("id").and_then(Value::as_str)?;
        Some((id.to_owned(), policy.get("result")?.clone()))
    };
    let results: Map<String, Value> = policies.into_iter().flatten().filter_map(result).collect();
    results.into()
}
