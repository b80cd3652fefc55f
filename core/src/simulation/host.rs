//! The host of the resource server: keeps records, fetches keys, checks signatures, asks the engine.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde_json::json;

use super::keys::{ALGORITHM, verify};
use crate::configuration::Configuration;
use crate::decision::request::{Answers, RecordAnswer, Request};
use crate::engine::{
    Begun, Change, Conversation, Decided, Detail, EventReading, Handle, SignatureAnswer, Verdict,
};
use crate::json::{self, Map, Value};
use crate::state::selection::{Scopes, select};
use crate::state::{Record, StateKey};
use crate::time::UnixTime;

/// How often the engine may ask again within one exchange. Two questions (a key, a signature) and one stale handle
/// are all that can happen.
const MOST_ROUNDS: usize = 8;

/// What became of a SET.
pub(super) enum Received {
    /// Its changes were merged.
    Accepted { reading: String, changes: usize },
    /// Its `jti` was accepted before: acknowledged and dropped.
    Duplicate { reading: String },
    /// Refused; the state is as it was.
    Rejected { reading: String, code: &'static str },
}

/// What can go wrong between host and engine.
pub(super) enum HostError<E> {
    /// The engine could not be reached.
    Engine(E),
    /// The engine asks the same thing over and over.
    Unsettled,
}

impl<E> From<E> for HostError<E> {
    fn from(error: E) -> Self {
        Self::Engine(error)
    }
}

/// A token that the engine knows.
#[derive(Clone)]
struct Known {
    handle: Handle,
    records: Vec<StateKey>,
}

pub(super) struct Host<C> {
    pub(super) engine: C,
    records: BTreeMap<StateKey, Vec<u8>>,
    verified: BTreeMap<String, Known>,
    /// Transmitter and `jti` of every accepted SET.
    accepted: BTreeSet<(String, String)>,
    keys: Keys,
}

/// Key sets by the URL under which the engine knows their owner.
#[derive(Clone, Default)]
pub(super) struct Keys {
    /// What the owners publish now.
    published: BTreeMap<String, Value>,
    /// What the engine was given.
    fetched: BTreeMap<String, Value>,
}

impl Keys {
    pub(super) fn publish(&mut self, owner: &str, jwks: Value) {
        self.published.insert(owner.to_string(), jwks);
    }

    pub(super) fn fetch_all(&mut self) {
        self.fetched.clone_from(&self.published);
    }

    /// The engine configuration with the fetched keys in it.
    pub(super) fn configuration(&self, engine: &Map<String, Value>) -> String {
        let mut engine = engine.clone();
        for list in ["issuers", "transmitters"] {
            let entries = engine.get_mut(list).and_then(Value::as_array_mut);
            for entry in entries
                .into_iter()
                .flatten()
                .filter_map(Value::as_object_mut)
            {
                let owner = entry.get("issuer").and_then(Value::as_str);
                let Some(jwks) = owner.and_then(|owner| self.fetched.get(owner)) else {
                    continue;
                };
                entry.insert("jwks".into(), jwks.clone());
                entry
                    .entry("algorithms")
                    .or_insert_with(|| json!([ALGORITHM]));
            }
        }
        json::canonical(&Value::Object(engine))
    }
}

impl<C: Conversation> Host<C> {
    pub(super) fn new(engine: C, keys: Keys) -> Self {
        Self {
            engine,
            records: BTreeMap::new(),
            verified: BTreeMap::new(),
            accepted: BTreeSet::new(),
            keys,
        }
    }

    /// Asks whether a request with this token may pass.
    pub(super) fn ask(
        &mut self,
        token: &str,
        request: &Request<'_>,
        confirmed: Option<&str>,
    ) -> Result<Verdict, HostError<C::Error>> {
        for _ in 0..MOST_ROUNDS {
            let (known, signature) = match self.verified.get(token) {
                Some(known) => (known.clone(), None),
                None => match self.engine.begin(token, request.now, Detail::Decision)? {
                    Begun::Refused(verdict) => return Ok(verdict),
                    Begun::Needs { handle, needs } => {
                        if let Some(need) = &needs.key
                            && self.fetch(&need.issuer)?
                        {
                            continue;
                        }
                        let signature = needs.signature.map(|need| verify(token, &need));
                        let records = needs.records;
                        (Known { handle, records }, signature)
                    }
                },
            };
            let records: Vec<_> = known
                .records
                .iter()
                .map(|key| match self.records.get(key) {
                    Some(record) => RecordAnswer::Found(record),
                    None => RecordAnswer::None,
                })
                .collect();
            let answers = Answers {
                signature,
                confirmed,
                records: &records,
            };
            let decided = self
                .engine
                .decide(known.handle, request, &answers, Detail::Explain)?;
            match decided {
                Decided::Verdict(verdict) => {
                    if signature == Some(true) {
                        self.verified.insert(token.to_string(), known);
                    }
                    // SPEC: enforcement.md §6: stored before the 401 goes out.
                    for change in &verdict.changes {
                        self.merge(change)?;
                    }
                    return Ok(verdict);
                }
                Decided::Stale => {
                    self.verified.remove(token);
                }
            }
        }
        Err(HostError::Unsettled)
    }

    /// Takes a SET that arrives at `now`.
    pub(super) fn receive(
        &mut self,
        set: &str,
        now: UnixTime,
    ) -> Result<Received, HostError<C::Error>> {
        let mut signature = SignatureAnswer::NotChecked;
        for _ in 0..MOST_ROUNDS {
            match self.engine.read_event(set, now, signature)? {
                EventReading::NeedsSignature(need) => {
                    signature = if verify(set, &need) {
                        SignatureAnswer::Valid
                    } else {
                        SignatureAnswer::Invalid
                    };
                }
                EventReading::NeedsKey(need) => {
                    if !self.fetch(&need.issuer)? {
                        signature = SignatureAnswer::KeyUnknown;
                    }
                }
                EventReading::Accepted(event) => {
                    let reading = event.json;
                    // SPEC: RFC 8935 §2: a SET that was received before is acknowledged and applied once.
                    if !self.accepted.insert((event.transmitter, event.jti)) {
                        return Ok(Received::Duplicate { reading });
                    }
                    for change in &event.changes {
                        self.merge(change)?;
                    }
                    let changes = event.changes.len();
                    return Ok(Received::Accepted { reading, changes });
                }
                EventReading::Rejected(event) => {
                    return Ok(Received::Rejected {
                        reading: event.json,
                        code: event.code,
                    });
                }
            }
        }
        Err(HostError::Unsettled)
    }

    /// An owner of keys publishes others; the host learns of it now or when the engine misses one.
    pub(super) fn rotate(
        &mut self,
        owner: &str,
        jwks: Value,
        fetched: bool,
    ) -> Result<String, C::Error> {
        self.keys.publish(owner, jwks);
        if fetched {
            self.set_keys(owner)
        } else {
            Ok("[]".to_string())
        }
    }

    /// Hands over a configuration with the keys fetched so far; all or nothing.
    pub(super) fn reconfigure(&mut self, engine: &Map<String, Value>) -> Result<String, C::Error> {
        let configuration = self.keys.configuration(engine);
        self.engine.reconfigure(&configuration)
    }

    /// What `cae state clear` does: how many records got neutral values, or why none did.
    pub(super) fn clear(
        &mut self,
        engine: &Map<String, Value>,
        subject: &str,
        issuer: Option<&str>,
        now: UnixTime,
    ) -> Result<Result<usize, String>, HostError<C::Error>> {
        let Ok(configuration) = Configuration::read(&self.keys.configuration(engine)) else {
            return Ok(Err("the configuration has faults".to_string()));
        };
        let selected = match select(subject, Scopes::Configured(&configuration, issuer)) {
            Ok(selected) => selected,
            Err(error) => return Ok(Err(error.to_string())),
        };
        for one in &selected {
            let record = self.records.get(&one.key);
            let known = record.and_then(|bytes| Record::from_bytes(bytes).ok());
            let neutral = one.cleared(&known.unwrap_or_default(), now, &configuration);
            self.merge(&Change {
                key: one.key,
                record: neutral.to_bytes(),
            })?;
        }
        Ok(Ok(selected.len()))
    }

    /// Fetches the published keys; says whether they are new.
    fn fetch(&mut self, owner: &str) -> Result<bool, C::Error> {
        if self.keys.published.get(owner) == self.keys.fetched.get(owner) {
            return Ok(false);
        }
        self.set_keys(owner)?;
        Ok(true)
    }

    fn set_keys(&mut self, owner: &str) -> Result<String, C::Error> {
        let Some(jwks) = self.keys.published.get(owner) else {
            return Ok("[]".to_string());
        };
        self.keys.fetched.insert(owner.to_string(), jwks.clone());
        self.engine.set_keys(owner, &json::canonical(jwks))
    }

    fn merge(&mut self, change: &Change) -> Result<(), C::Error> {
        let merged = match self.records.get(&change.key) {
            None => Some(change.record.clone()),
            Some(known) => self.engine.merge(known, &change.record)?,
        };
        if let Some(merged) = merged {
            self.records.insert(change.key, merged);
        }
        Ok(())
    }
}
