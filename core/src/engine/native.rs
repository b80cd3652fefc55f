//! The engine itself: compiled configuration, known tokens, nothing else.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::net::IpAddr;

use super::handles::{Entry, Handles};
use super::{
    Begun, Conversation, Decided, Detail, EventQuestion, EventReading, Handle, KeyNeed, Needs,
    ProofNeed, SignatureAnswer, SignatureNeed, Verdict,
};
use crate::configuration::{Configuration, Faults};
use crate::decision::facts;
use crate::decision::{
    Answers, Evaluation, ReasonCode, Request, changed_since, decide, is_settled, refuse,
};
use crate::json::Value;
use crate::policy::{Candidates, PolicyState, address};
use crate::state::merge_bytes;
use crate::time::UnixTime;
use crate::token::claims::Part;
use crate::token::read::{KeyChoice, Reading, Refusal};
use crate::token::{self, AccessToken, Confirmation};
use crate::{issuer, json, signal};

/// The engine: a compiled configuration and the tokens it knows. It holds no event state.
#[derive(Debug)]
pub struct Engine {
    configuration: Configuration,
    handles: Handles,
    /// Moves with every change after which a known token might not pass any more.
    epoch: u64,
}

/// Who presents a token, in the words of its issuer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Presenter {
    /// Issuer as configured.
    pub issuer: String,
    /// The user, or the service principal where an application speaks for itself.
    pub subject: Option<String>,
    /// The tenant, where one issuer has several.
    pub tenant: Option<String>,
    /// Client application id.
    pub client: Option<String>,
    /// Whether the client takes claims challenges (`cp1`).
    pub capable: bool,
}

impl Engine {
    /// Compiles `configuration` (`ENGINE.json`, design §9).
    ///
    /// `seed` is a random number of the host's: it keeps an attacker from choosing tokens that collide in the
    /// engine's tables, and changes no answer.
    ///
    /// # Errors
    /// Every fault of the configuration.
    pub fn new(configuration: &str, seed: u64) -> Result<Self, Faults> {
        Ok(Self {
            configuration: Configuration::read(configuration)?,
            handles: Handles::new(seed),
            epoch: 0,
        })
    }

    /// Forgets every token, and tells them apart by another seed from then on: for an engine that was made somewhere
    /// else than it decides.
    pub fn forget_tokens(&mut self, seed: u64) {
        self.handles = Handles::new(seed);
    }

    /// The configuration in force.
    #[must_use]
    pub const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Reads a token into an entry of the table, and says what its signature needs.
    fn read(&self, text: &str, now: UnixTime) -> Result<(Entry, Needs), Refusal> {
        let Reading {
            token,
            key,
            algorithm,
            signing_input_len,
        } = token::read(text, &self.configuration, now)?;
        let mut needs = needs_of(&token);
        let key_id = match key {
            KeyChoice::Found { key } => {
                needs.signature = Some(SignatureNeed {
                    key_id: key.id().into(),
                    key: key.jwk().into(),
                    algorithm: algorithm.name(),
                    signing_input: signing_input_len,
                });
                Some(key.id().into())
            }
            KeyChoice::Unknown { kid } => {
                let issuer = self.configuration.issuers.get(token.issuer);
                let issuer = issuer.map_or_else(String::new, |issuer| issuer.issuer.clone());
                needs.key = Some(KeyNeed { issuer, kid });
                None
            }
        };
        let entry = Entry {
            token: Box::from(text),
            candidates: self.candidates(&token),
            access_token: token,
            key_id,
            epoch: self.epoch,
            verified: false,
        };
        Ok((entry, needs))
    }

    fn candidates(&self, token: &AccessToken) -> Candidates {
        let Some(issuer) = self.configuration.issuers.get(token.issuer) else {
            return Candidates::default();
        };
        let policies = &issuer.policies;
        let mut candidates = policies.candidates(&facts::of_token(token, &self.configuration));
        policies.settle(&mut candidates, |policy| is_settled(policy, token, issuer));
        candidates
    }

    /// Brings a known token up to the configuration in force; `false` if it would not pass any more, or if the host was
    /// told to fetch other records for it.
    fn refresh(&mut self, handle: Handle, now: UnixTime) -> bool {
        let epoch = self.epoch;
        let Some(known) = self.handles.get_mut(handle) else {
            return false;
        };
        if known.epoch == epoch {
            return true;
        }
        let (text, key_id, verified) = (known.token.clone(), known.key_id.clone(), known.verified);
        let keys = known.access_token.keys.clone();
        let fresh = match self.read(&text, now) {
            Ok((entry, _))
                if entry.key_id.is_some()
                    && entry.key_id == key_id
                    && entry.access_token.keys == keys =>
            {
                entry
            }
            _ => {
                self.handles.remove(handle);
                return false;
            }
        };
        if let Some(known) = self.handles.get_mut(handle) {
            *known = Entry { verified, ..fresh };
        }
        true
    }

    /// Whether the configuration in force may turn a known token away because of what changed in it.
    fn is_outdated(&mut self, handle: Handle, now: UnixTime) -> bool {
        if !self.refresh(handle, now) {
            return true;
        }
        let Some(entry) = self.handles.get_mut(handle) else {
            return false;
        };
        let token = &entry.access_token;
        let issuer = self.configuration.issuers.get(token.issuer);
        issuer.is_some_and(|issuer| {
            let mut policies = issuer.policies.of(&entry.candidates);
            policies
                .any(|policy| policy.state == PolicyState::Enabled && changed_since(policy, token))
        })
    }

    fn refused(&self, code: ReasonCode, why: &str, detail: Detail) -> Verdict {
        refuse(code, why, &self.configuration.resource).into_verdict(detail)
    }

    fn begin_token(&mut self, token: &str, now: UnixTime, detail: Detail) -> Begun {
        if let Some(handle) = self.handles.find(token)
            && self.refresh(handle, now)
            && let Some(entry) = self.handles.get_mut(handle)
            && entry.verified
        {
            let needs = needs_of(&entry.access_token);
            return Begun::Needs { handle, needs };
        }
        if token.is_empty() {
            let why = "no token was presented";
            return Begun::Refused(self.refused(ReasonCode::TokenMissing, why, detail));
        }
        match self.read(token, now) {
            Err(refusal) => {
                let evaluation = Evaluation {
                    revisit_at: refusal.revisit_at,
                    ..refuse(refusal.code, &refusal.detail, &self.configuration.resource)
                };
                Begun::Refused(evaluation.into_verdict(detail))
            }
            Ok((entry, needs)) => {
                // Two requests may be on their way with one token that is not verified yet: they share its handle.
                let pending = self.handles.find(token);
                let handle = match pending
                    .and_then(|handle| self.handles.get_mut(handle).zip(Some(handle)))
                {
                    Some((known, handle)) => {
                        *known = entry;
                        handle
                    }
                    None => self.handles.insert(entry),
                };
                Begun::Needs { handle, needs }
            }
        }
    }

    /// Who presents a token whose signature was valid.
    pub fn presenter(&mut self, handle: Handle) -> Option<Presenter> {
        let entry = self
            .handles
            .get_mut(handle)
            .filter(|entry| entry.verified)?;
        let token = &entry.access_token;
        let issuer = self.configuration.issuers.get(token.issuer)?;
        // The engine compares subjects without case; who they are is told as the issuer writes it.
        let subject = issuer.claims.value(Part::User, &token.claims);
        let subject = subject.and_then(Value::as_str).map(String::from);
        Some(Presenter {
            issuer: issuer.issuer.clone(),
            subject: subject.or_else(|| token.subject.clone()),
            tenant: token.tenant.clone(),
            client: token.client_application.clone(),
            capable: token.capable,
        })
    }

    /// [`Conversation::decide`] with the client address parsed before (`policy::address::parse_address`):
    /// `request.client_ip` is not read.
    pub fn decide_at(
        &mut self,
        handle: Handle,
        request: &Request<'_>,
        address: Option<IpAddr>,
        answers: &Answers<'_>,
        detail: Detail,
    ) -> Decided {
        if !self.refresh(handle, request.now) {
            return Decided::Stale;
        }
        let Some(entry) = self.handles.get_mut(handle) else {
            return Decided::Stale;
        };
        let refusal = match (&entry.key_id, answers.signature) {
            (None, _) => Some((
                ReasonCode::TokenKeyUnknown,
                "no key of the issuer fits the token",
            )),
            (Some(_), Some(true)) => None,
            // Nobody is asked about a token that was verified before; a host that says so all the same is believed.
            (Some(_), Some(false)) => {
                Some((ReasonCode::TokenSignature, "the signature does not verify"))
            }
            (Some(_), None) if entry.verified => None,
            (Some(_), None) => Some((
                ReasonCode::MissingSignature,
                "the host did not check the signature",
            )),
        };
        if let Some((code, why)) = refusal {
            self.handles.remove(handle);
            return Decided::Verdict(
                refuse(code, why, &self.configuration.resource).into_verdict(detail),
            );
        }
        if !entry.verified {
            self.handles.mark_verified(handle);
        }
        let Some(entry) = self.handles.get_mut(handle) else {
            return Decided::Stale;
        };
        let evaluation = decide(
            &self.configuration,
            &entry.access_token,
            &entry.candidates,
            request,
            address,
            answers,
            detail,
        );
        Decided::Verdict(evaluation.into_verdict(detail))
    }
}

/// What every decision with this token needs besides its signature.
fn needs_of(token: &AccessToken) -> Needs {
    Needs {
        signature: None,
        key: None,
        proof: token.confirmation.as_ref().map(|confirmation| {
            let (method, thumbprint) = match confirmation {
                Confirmation::Jkt(thumbprint) => ("jkt", thumbprint.clone()),
                Confirmation::X5tS256(thumbprint) => ("x5t#S256", thumbprint.clone()),
                Confirmation::Unknown => ("unknown", String::new()),
            };
            ProofNeed { method, thumbprint }
        }),
        records: token.keys.iter().map(|key| key.key).collect(),
    }
}

impl Conversation for Engine {
    type Error = Infallible;

    fn begin(&mut self, token: &str, now: UnixTime, detail: Detail) -> Result<Begun, Infallible> {
        Ok(self.begin_token(token, now, detail))
    }

    fn decide(
        &mut self,
        handle: Handle,
        request: &Request<'_>,
        answers: &Answers<'_>,
        detail: Detail,
    ) -> Result<Decided, Infallible> {
        let address = request.client_ip.and_then(address::parse_address);
        Ok(self.decide_at(handle, request, address, answers, detail))
    }

    fn read_event(
        &mut self,
        set: &str,
        received_at: UnixTime,
        signature: SignatureAnswer,
    ) -> Result<EventReading, Infallible> {
        Ok(signal::read(
            set,
            &self.configuration,
            received_at,
            signature,
        ))
    }

    fn explain_event(&mut self, question: &EventQuestion<'_>) -> Result<String, Infallible> {
        Ok(signal::explain(question, Some(&self.configuration)))
    }

    fn merge(&mut self, a: &[u8], b: &[u8]) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(merge_bytes(a, b))
    }

    fn set_keys(&mut self, issuer: &str, jwks: &str) -> Result<String, Infallible> {
        let faults = match self.configuration.set_keys(issuer, jwks) {
            Ok(()) => {
                self.epoch = self.epoch.wrapping_add(1);
                Vec::new()
            }
            Err(Faults(faults)) => faults,
        };
        Ok(json::to_text(&faults))
    }

    fn reconfigure(&mut self, configuration: &str) -> Result<String, Infallible> {
        let faults = match Configuration::read(configuration) {
            Ok(configuration) => {
                self.configuration = configuration;
                self.epoch = self.epoch.wrapping_add(1);
                Vec::new()
            }
            Err(Faults(faults)) => faults,
        };
        Ok(json::to_text(&faults))
    }

    fn outdated_tokens(&mut self, now: UnixTime) -> Result<u32, Infallible> {
        let known = self.handles.verified();
        let outdated = known
            .into_iter()
            .filter(|handle| self.is_outdated(*handle, now));
        Ok(u32::try_from(outdated.count()).unwrap_or(u32::MAX))
    }

    fn sign_in(&mut self, request: &str) -> Result<String, Infallible> {
        Ok(issuer::sign_in_json(&self.configuration, request))
    }

    fn inspect_token(&mut self, token: &str, now: UnixTime) -> Result<String, Infallible> {
        Ok(token::inspect(token, Some(&self.configuration), now))
    }
}
