//! The host's side of the conversation: answers what the engine needs and keeps what it says to remember.

mod intake;

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use cae_core::configuration::settings::OnError;
use cae_core::configuration::transmitter::Brake;
use cae_core::decision::{Answers, Evaluation, Outcome, Reason, ReasonCode, RecordAnswer, Request};
use cae_core::engine::{
    AcceptedEvent, Begun, Change, Conversation, Decided, Detail, EventQuestion, EventReading,
    Needs, RejectedEvent, SignatureAnswer, SignatureNeed, Verdict,
};
use cae_core::json::{self, Limits};
use cae_core::state::{Record, RecordError, StateKey, StateTable};
use cae_core::time::UnixTime;

use crate::directory::Directory;
use crate::signature::Signatures;

pub(crate) use intake::Intake;
pub use intake::{BrakeAlarm, HeldEvent, brakes};

/// One engine, the state that it decides by, and the signatures that were checked for it.
#[derive(Debug)]
pub struct Session<C> {
    engine: C,
    signatures: Signatures,
    state: StateTable,
    /// Whether the state is another one than at the beginning.
    is_changed: bool,
    directory: Option<Directory>,
    /// By issuer URL.
    transmitters: BTreeMap<String, Intake>,
    /// The transmitter and the `jti` of every SET that was accepted.
    delivered: HashSet<(String, String)>,
    alarms: Vec<BrakeAlarm>,
}

/// Why there is no decision.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SessionError<E> {
    /// The engine gave no answer.
    Engine(E),
    /// The engine asked twice to begin again, or gave a record that cannot be read.
    Contract(&'static str),
}

impl<E: fmt::Display> fmt::Display for SessionError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(error) => error.fmt(f),
            Self::Contract(what) => f.write_str(what),
        }
    }
}

impl<E: std::error::Error> std::error::Error for SessionError<E> {}

/// What became of a SET.
#[derive(Clone, Debug, PartialEq)]
pub enum EventOutcome {
    /// Accepted, and its changes are merged.
    Accepted(AcceptedEvent),
    /// Accepted, and kept until an operator releases it: the brake of its transmitter holds.
    Held(AcceptedEvent),
    /// Accepted before: acknowledged and dropped.
    Repeated(AcceptedEvent),
    /// Rejected: the state is as it was.
    Rejected(RejectedEvent),
}

/// What the host found out about the signature of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenSignature {
    /// It verifies, now or before.
    Valid,
    /// It does not.
    Invalid,
    /// No key of the issuer fits.
    KeyUnknown,
}

impl<C: Conversation> Session<C> {
    /// A session that knows nothing yet.
    pub fn new(engine: C, signatures: Signatures) -> Self {
        Self {
            engine,
            signatures,
            state: StateTable::default(),
            is_changed: false,
            directory: None,
            transmitters: BTreeMap::new(),
            delivered: HashSet::new(),
            alarms: Vec::new(),
        }
    }

    /// Begins with what an earlier session knew and held back.
    #[must_use]
    pub fn resuming(mut self, state: StateTable, held: Vec<HeldEvent>) -> Self {
        self.state = state;
        for event in held {
            self.delivered
                .insert((event.transmitter.clone(), event.jti.clone()));
            self.intake(&event.transmitter.clone()).hold(event);
        }
        self
    }

    /// Watches how many subjects these transmitters touch; a transmitter is named by its issuer URL.
    #[must_use]
    pub fn braking(mut self, brakes: Vec<(String, Brake)>) -> Self {
        for (transmitter, brake) in brakes {
            self.intake(&transmitter).set_brake(brake);
        }
        self
    }

    /// Looks up in this directory what neither token nor request says of a user.
    #[must_use]
    pub fn knowing(mut self, directory: Option<Directory>) -> Self {
        self.directory = directory;
        self
    }

    /// The directory, to be refreshed.
    pub const fn directory(&mut self) -> Option<&mut Directory> {
        self.directory.as_mut()
    }

    /// The engine, for questions outside the conversation.
    pub fn engine(&mut self) -> &mut C {
        &mut self.engine
    }

    /// Decides one request that carried `token`, and remembers what the decision says to remember.
    ///
    /// `confirmed` is the thumbprint of the key whose possession the presenter proved, if any.
    ///
    /// # Errors
    /// The engine could not be reached, or left its contract; nothing is remembered then.
    pub fn decide(
        &mut self,
        token: &str,
        request: &Request<'_>,
        confirmed: Option<&str>,
        detail: Detail,
    ) -> Result<Verdict, SessionError<C::Error>> {
        // A handle goes stale when the configuration changes between the two calls. Twice in a row is a fault.
        for _ in 0..2 {
            let (handle, needs) = match self
                .engine
                .begin(token, request.now, detail)
                .map_err(SessionError::Engine)?
            {
                Begun::Refused(verdict) => return Ok(verdict),
                Begun::Needs { handle, needs } => (handle, needs),
            };
            let signature = needs
                .signature
                .as_ref()
                .map(|need| self.signatures.check(token, need));
            let records = answer_records(&self.state, &needs);
            let answers = Answers {
                signature,
                confirmed,
                records: &records,
            };
            let directory = self.directory.as_ref();
            let listed = directory.and_then(|directory| directory.listed(&needs.records));
            let request = Request {
                facts: match &listed {
                    Some(listed) => listed.complete(request.facts),
                    None => request.facts,
                },
                ..*request
            };
            let decided = self.engine.decide(handle, &request, &answers, detail);
            if let Decided::Verdict(verdict) = decided.map_err(SessionError::Engine)? {
                let changed = records_of(&verdict.changes)?;
                self.remember(&verdict.changes, &changed);
                return Ok(verdict);
            }
        }
        Err(SessionError::Contract(
            "the token is still stale after it began again",
        ))
    }

    /// Checks the signature of a token without deciding anything.
    ///
    /// # Errors
    /// The engine could not be reached.
    pub fn check_signature(
        &mut self,
        token: &str,
        now: UnixTime,
    ) -> Result<TokenSignature, SessionError<C::Error>> {
        let needs = match self
            .engine
            .begin(token, now, Detail::None)
            .map_err(SessionError::Engine)?
        {
            Begun::Refused(_) => return Ok(TokenSignature::Invalid),
            Begun::Needs { needs, .. } => needs,
        };
        Ok(match (needs.key, needs.signature) {
            (Some(_), _) => TokenSignature::KeyUnknown,
            (None, Some(need)) if !self.signatures.check(token, &need) => TokenSignature::Invalid,
            (None, _) => TokenSignature::Valid,
        })
    }

    /// Reads a security event token and merges its effects, unless the same SET was accepted before.
    ///
    /// # Errors
    /// The engine could not be reached, or left its contract; the state is as it was.
    pub fn read_event(
        &mut self,
        set: &str,
        received_at: UnixTime,
    ) -> Result<EventOutcome, SessionError<C::Error>> {
        let mut signature = SignatureAnswer::NotChecked;
        // Two questions at most: the key, then the signature.
        for _ in 0..3 {
            let reading = self.engine.read_event(set, received_at, signature);
            match reading.map_err(SessionError::Engine)? {
                EventReading::NeedsSignature(need) => signature = self.check_event(set, &need),
                // Keys come from the configuration only: there is nowhere to fetch others from.
                EventReading::NeedsKey(_) => signature = SignatureAnswer::KeyUnknown,
                EventReading::Rejected(event) => return Ok(EventOutcome::Rejected(event)),
                EventReading::Accepted(event) => return self.accept(event, received_at),
            }
        }
        Err(SessionError::Contract(
            "the event needs more than a key and a signature",
        ))
    }

    /// Says in words what a security event token does, and whether it hits the token `against`; nothing takes effect.
    ///
    /// `unsigned` is the JSON of a payload: nobody vouches for it.
    ///
    /// # Errors
    /// The engine could not be reached, or left its contract.
    pub fn explain_event(
        &mut self,
        text: &str,
        unsigned: bool,
        received_at: UnixTime,
        against: Option<&str>,
    ) -> Result<String, SessionError<C::Error>> {
        let mut signature = SignatureAnswer::NotChecked;
        for _ in 0..3 {
            if unsigned {
                break;
            }
            let reading = self.engine.read_event(text, received_at, signature);
            signature = match reading.map_err(SessionError::Engine)? {
                EventReading::NeedsSignature(need) => self.check_event(text, &need),
                EventReading::NeedsKey(_) => SignatureAnswer::KeyUnknown,
                EventReading::Accepted(_) | EventReading::Rejected(_) => break,
            };
        }
        let question = EventQuestion {
            text,
            unsigned,
            received_at,
            signature,
            against,
        };
        self.engine
            .explain_event(&question)
            .map_err(SessionError::Engine)
    }

    fn check_event(&mut self, set: &str, need: &SignatureNeed) -> SignatureAnswer {
        if self.signatures.check(set, need) {
            SignatureAnswer::Valid
        } else {
            SignatureAnswer::Invalid
        }
    }

    /// Merges a record directly; says whether anything changed.
    pub fn merge(&mut self, key: &StateKey, record: &Record) -> bool {
        let changed = self.state.merge(key, record);
        self.is_changed |= changed;
        changed
    }

    /// What is known.
    pub const fn state(&self) -> &StateTable {
        &self.state
    }

    /// Whether anything changed since the session began or was asked last.
    pub const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.is_changed, false)
    }

    /// The alarms since this was asked last.
    pub fn take_alarms(&mut self) -> Vec<BrakeAlarm> {
        std::mem::take(&mut self.alarms)
    }

    /// The events that wait for an operator, by transmitter, in the order in which they came.
    pub fn held(&self) -> impl Iterator<Item = &HeldEvent> {
        self.transmitters.values().flat_map(Intake::held)
    }

    /// Applies the events of a transmitter that were held back, with their own times, and lets the next ones pass;
    /// says how many they were.
    ///
    /// # Errors
    /// The engine left its contract; the state is as it was.
    pub fn release(&mut self, transmitter: &str) -> Result<usize, SessionError<C::Error>> {
        let Some(intake) = self.transmitters.get_mut(transmitter) else {
            return Ok(0);
        };
        let changes: Vec<Change> = (intake.held().iter())
            .flat_map(|event| event.changes.clone())
            .collect();
        let records = records_of(&changes)?;
        let released = intake.release().len();
        self.is_changed |= released > 0;
        self.remember(&changes, &records);
        Ok(released)
    }

    /// How many events of each transmitter named a kind of key that no configured token can show.
    pub fn unmatchable(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.transmitters.iter().flat_map(|(transmitter, intake)| {
            intake
                .unmatchable()
                .map(|(kind, count)| (transmitter.as_str(), kind, count))
        })
    }

    fn accept(
        &mut self,
        event: AcceptedEvent,
        received_at: UnixTime,
    ) -> Result<EventOutcome, SessionError<C::Error>> {
        let records = records_of(&event.changes)?;
        let delivery = (event.transmitter.clone(), event.jti.clone());
        if !self.delivered.insert(delivery) {
            return Ok(EventOutcome::Repeated(event));
        }
        let intake = self.intake(&event.transmitter);
        let passage = intake.admit(&event, &records, received_at);
        if passage.hold {
            intake.hold(HeldEvent {
                transmitter: event.transmitter.clone(),
                jti: event.jti.clone(),
                changes: event.changes.clone(),
            });
        }
        self.alarms.extend(passage.alarm);
        if passage.hold {
            self.is_changed = true;
            return Ok(EventOutcome::Held(event));
        }
        self.remember(&event.changes, &records);
        Ok(EventOutcome::Accepted(event))
    }

    fn intake(&mut self, transmitter: &str) -> &mut Intake {
        self.transmitters.entry(transmitter.to_owned()).or_default()
    }

    fn remember(&mut self, changes: &[Change], records: &[Record]) {
        for (change, record) in changes.iter().zip(records) {
            self.merge(&change.key, record);
        }
    }
}

/// The records of changes: all or none.
pub(crate) fn records_of<E>(changes: &[Change]) -> Result<Vec<Record>, SessionError<E>> {
    (changes.iter())
        .map(|change| Record::from_bytes(&change.record))
        .collect::<Result<_, RecordError>>()
        .map_err(|_| SessionError::Contract("a change holds no readable record"))
}

fn answer_records<'s>(state: &'s StateTable, needs: &Needs) -> Vec<RecordAnswer<'s>> {
    let answer = |key| {
        state
            .bytes(key)
            .map_or(RecordAnswer::None, RecordAnswer::Found)
    };
    needs.records.iter().map(answer).collect()
}

/// What a configuration that the engine took says about faults of the engine; `deny` unless it says otherwise.
#[must_use]
pub fn on_error(configuration: &str) -> OnError {
    let read = json::parse(configuration.as_bytes(), Limits::DOCUMENT).unwrap_or_default();
    match read
        .pointer("/settings/onError")
        .and_then(json::Value::as_str)
    {
        Some("allow") => OnError::Allow,
        _ => OnError::Deny,
    }
}

/// The decision where the engine gave none (`enforcement.md` §5, last row).
#[must_use]
pub fn fault_verdict(on_error: OnError, detail: Detail) -> Verdict {
    let (outcome, status) = match on_error {
        OnError::Deny => (Outcome::Deny, 503),
        OnError::Allow => (Outcome::Allow, 200),
    };
    let evaluation = Evaluation {
        outcome,
        status,
        www_authenticate: None,
        reasons: vec![Reason {
            code: ReasonCode::EngineFault,
            policy: None,
        }],
        changes: Vec::new(),
        revisit_at: None,
        may_reuse_without_events: 0,
        report: None,
    };
    evaluation.into_verdict(detail)
}

#[cfg(test)]
mod tests;
