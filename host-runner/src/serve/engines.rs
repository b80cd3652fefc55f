//! The engines that answer: several instances side by side, all with the same configuration.
//!
//! A token goes to the same instance if that is free, which therefore knows it when it comes again. Another configuration is
//! another set of engines, built beside this one and put in its place: decisions never wait for it.

mod answered;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use cae_core::configuration::settings::{OnError, OnStaleSignals};
use cae_core::configuration::{Configuration, Faults};
use cae_core::decision::{Answers, RecordAnswer, Request};
use cae_core::engine::{
    Begun, Conversation as _, Decided, Detail, EventReading, Handle, ProofNeed, SignatureAnswer,
    Verdict,
};
use cae_core::json::{Value, to_text};
use cae_core::state::{StateKey, StateTable};
use cae_core::time::UnixTime;
use cae_core::token::claims::Part;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hyper::header::HeaderValue;

use self::answered::Answered;
use super::simulator;
use crate::component::EngineError;
use crate::directory::Directory;
use crate::engine::{AnyEngine, Runtime};
use crate::entra::directory::View;
use crate::session::fault_verdict;
use crate::signature::{Signatures, VerifiedTokens};
use crate::text::{member, word};

/// Most tokens that an instance is asked about without handing over their text.
const KNOWN: usize = 4_096;
/// The longest token that is remembered so: others are handed over every time.
const KNOWN_BYTES: usize = 8 << 10;

/// One configuration, ready to decide by.
#[derive(Debug)]
pub(crate) struct Engines {
    pub(crate) configuration: Configuration,
    pub(crate) directory: Option<Directory>,
    /// What is known of the users of the tenant that is read.
    pub(crate) tenant: Option<View>,
    /// Whether some policy asks something of the application, which it is told with every answer.
    has_session_controls: bool,
    /// The policies, as JSON for the simulator.
    policies: String,
    reads_path: bool,
    hasher: RandomState,
    instances: Box<[Mutex<Instance>]>,
    events: Mutex<EventInstance>,
    faults: AtomicU64,
}

#[derive(Debug)]
struct Instance {
    engine: AnyEngine,
    signatures: Signatures,
    known: HashTable<(Box<str>, Known)>,
}

/// A token that this instance knows by its handle.
#[derive(Clone, Debug)]
struct Known {
    handle: Handle,
    records: Arc<[StateKey]>,
    proof: Option<Arc<ProofNeed>>,
    identity: Arc<Identity>,
    answered: Option<Answered>,
    /// Of which state of the tenant's directory the answer is.
    generation: u64,
}

#[derive(Debug)]
struct EventInstance {
    engine: AnyEngine,
    signatures: Signatures,
}

/// A token with its hash, which is computed once.
#[derive(Clone, Copy)]
struct Hashed<'t> {
    text: &'t str,
    hash: u64,
}

/// Who presents a token, in the words of its issuer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Identity {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) client: String,
    /// Whether the client takes claims challenges.
    pub(crate) capable: bool,
    /// Subject, tenant and client as headers hold them.
    pub(crate) headers: [HeaderValue; 3],
}

/// What a decision came to.
#[derive(Debug)]
pub(crate) enum Decision {
    Made {
        verdict: Verdict,
        identity: Option<Arc<Identity>>,
        session_controls: Vec<String>,
    },
    /// The keys of this issuer are needed first.
    Key(String),
}

/// How somebody answers what a token is bound to.
pub(crate) type Prove<'a> = &'a (dyn Fn(&ProofNeed) -> Option<String> + Sync);

impl Engines {
    /// Builds engines for a configuration.
    ///
    /// # Errors
    /// Its faults, as the JSON that the engine writes; or the engine cannot be started.
    pub(crate) fn build(
        runtime: &Runtime,
        text: String,
        instances: usize,
        verified: &Arc<VerifiedTokens>,
    ) -> Result<Self, EngineError> {
        let configuration = Configuration::read(&text)
            .map_err(|Faults(faults)| EngineError::Configuration(to_text(&faults)))?;
        let instance = |_| {
            Ok(Mutex::new(Instance {
                engine: runtime.engine(&text)?,
                signatures: Signatures::new(Arc::clone(verified)),
                known: HashTable::new(),
            }))
        };
        let instances: Result<Box<[_]>, EngineError> =
            (0..instances.max(1)).map(instance).collect();
        let events = EventInstance {
            engine: runtime.engine(&text)?,
            signatures: Signatures::forgetful(),
        };
        Ok(Self {
            has_session_controls: has_session_controls(&text),
            policies: simulator::policies_of(&text),
            reads_path: configuration.settings.reads_path(),
            directory: None,
            tenant: None,
            hasher: RandomState::default(),
            instances: instances?,
            events: Mutex::new(events),
            faults: AtomicU64::new(0),
            configuration,
        })
    }

    /// The policies in force, as JSON that may stand in a page.
    pub(crate) fn policies(&self) -> &str {
        &self.policies
    }

    /// Whether decisions read how old the signals are.
    pub(crate) fn reads_signal_age(&self) -> bool {
        self.configuration.settings.on_stale_signals != OnStaleSignals::Report
    }

    /// How often an engine gave no answer.
    pub(crate) fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    /// Decides one request that carried `token`. `key_is_unknown` says that its issuer's keys were fetched just now.
    pub(crate) fn decide(
        &self,
        token: &str,
        request: &Request<'_>,
        state: &StateTable,
        prove: Prove<'_>,
        key_is_unknown: bool,
        detail: Detail,
    ) -> Decision {
        let request = &Request {
            path: request
                .path
                .filter(|_| self.reads_path || detail != Detail::None),
            ..*request
        };
        let hash = self.hasher.hash_one(token);
        let Some(mut instance) = self.instance(hash) else {
            return self.fault(detail);
        };
        let asked = if self.has_session_controls && detail == Detail::None {
            Detail::Decision
        } else {
            detail
        };
        let token = Hashed { text: token, hash };
        match instance.decide(self, token, request, state, prove, key_is_unknown, asked) {
            Ok(Decision::Made {
                mut verdict,
                identity,
                ..
            }) => {
                let session_controls = match &verdict.json {
                    Some(json) if self.has_session_controls => session_controls(json),
                    _ => Vec::new(),
                };
                if detail == Detail::None {
                    verdict.json = None;
                }
                Decision::Made {
                    verdict,
                    identity,
                    session_controls,
                }
            }
            Ok(key) => key,
            Err(_) => {
                instance.known.clear();
                self.fault(detail)
            }
        }
    }

    /// The instance that knows the tokens of this hash; if it is at work, one that is not, which then knows the token
    /// too: to begin again once is cheaper than to wait, again and again, for who holds the first.
    fn instance(&self, hash: u64) -> Option<MutexGuard<'_, Instance>> {
        let count = u64::try_from(self.instances.len()).ok()?;
        let place = usize::try_from(hash.checked_rem(count)?).ok()?;
        let (before, from) = self.instances.split_at_checked(place)?;
        let free = from
            .iter()
            .chain(before)
            .find_map(|it| match it.try_lock() {
                Ok(instance) => Some(instance),
                Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            });
        free.or_else(|| from.first().map(lock))
    }

    /// Names the state of the tenant's directory.
    fn generation(&self, now: UnixTime) -> u64 {
        let tenant = self.tenant.as_ref();
        tenant.map_or(0, |view| view.directory.generation(now))
    }

    fn fault(&self, detail: Detail) -> Decision {
        self.faults.fetch_add(1, Ordering::Relaxed);
        Decision::Made {
            verdict: fault_verdict(self.on_error(), detail),
            identity: None,
            session_controls: Vec::new(),
        }
    }

    fn on_error(&self) -> OnError {
        self.configuration.settings.on_error
    }

    /// Reads a SET or a logout token; signatures are checked, keys are asked for.
    ///
    /// # Errors
    /// The engine gave no answer.
    pub(crate) fn read_event(
        &self,
        set: &str,
        received_at: UnixTime,
        key_is_unknown: bool,
    ) -> Result<EventReading, EngineError> {
        let mut events = lock(&self.events);
        let EventInstance { engine, signatures } = &mut *events;
        let mut answer = SignatureAnswer::NotChecked;
        // The key, then the signature.
        for _ in 0..3 {
            let reading = engine.read_event(set, received_at, answer);
            match reading {
                Ok(EventReading::NeedsSignature(need)) => {
                    answer = if signatures.check(set, &need) {
                        SignatureAnswer::Valid
                    } else {
                        SignatureAnswer::Invalid
                    };
                }
                Ok(EventReading::NeedsKey(_)) if key_is_unknown => {
                    answer = SignatureAnswer::KeyUnknown;
                }
                Ok(reading) => return Ok(reading),
                Err(error) => {
                    self.faults.fetch_add(1, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Err(EngineError::Answer(
            "the event needs more than a key and a signature".to_owned(),
        ))
    }

    /// Hands fetched keys to every instance; says what is wrong with them.
    pub(crate) fn set_keys(&self, issuer: &str, jwks: &str) -> Result<(), String> {
        let took = |engine: &mut AnyEngine| match engine.set_keys(issuer, jwks) {
            Ok(faults) if faults == "[]" => Ok(()),
            Ok(faults) => Err(faults),
            Err(error) => Err(error.to_string()),
        };
        took(&mut lock(&self.events).engine)?;
        for instance in &self.instances {
            let Instance { engine, known, .. } = &mut *lock(instance);
            took(engine)?;
            // A token whose key is gone has to be found out.
            for (_, known) in known.iter_mut() {
                known.answered = None;
            }
        }
        Ok(())
    }

    /// How many known tokens the configuration may turn away.
    pub(crate) fn outdated_tokens(&self, now: UnixTime) -> u64 {
        let outdated =
            |instance: &Mutex<Instance>| lock(instance).engine.outdated_tokens(now).unwrap_or(0);
        self.instances.iter().map(outdated).map(u64::from).sum()
    }

    /// The tokens that are known, for the engines after these: there they begin again, and are told apart from strangers.
    /// Each once, however many instances know it.
    pub(crate) fn known_tokens(&self) -> BTreeSet<Box<str>> {
        let tokens = |instance: &Mutex<Instance>| {
            let instance = lock(instance);
            let texts = instance.known.iter().map(|(text, _)| text.clone());
            texts.collect::<Vec<_>>()
        };
        self.instances.iter().flat_map(tokens).collect()
    }
}

impl Instance {
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of the public function, and whose instance this is"
    )]
    fn decide(
        &mut self,
        engines: &Engines,
        token: Hashed<'_>,
        request: &Request<'_>,
        state: &StateTable,
        prove: Prove<'_>,
        key_is_unknown: bool,
        detail: Detail,
    ) -> Result<Decision, EngineError> {
        if let Some((_, known)) = self
            .known
            .find_mut(token.hash, |(text, _)| **text == *token.text)
        {
            let records = records(state, &known.records);
            if detail == Detail::None
                && let Some(answered) = &known.answered
                && known.generation == engines.generation(request.now)
                && let Some(verdict) = answered.again(request, &records)
            {
                return Ok(made(verdict, Some(Arc::clone(&known.identity))));
            }
            let proof = known.proof.as_deref().and_then(prove);
            let answers = Answers {
                signature: None,
                confirmed: proof.as_deref(),
                records: &records,
            };
            let identity = Arc::clone(&known.identity);
            // Before the facts are read: what changes meanwhile makes the answer one of before.
            let generation = engines.generation(request.now);
            let decided = with_directory(engines, &known.records, request, |request| {
                self.engine.decide(known.handle, request, &answers, detail)
            });
            match decided? {
                Decided::Verdict(verdict) => {
                    known.generation = generation;
                    // A proof is good for one request.
                    known.answered = match known.proof {
                        None => Answered::new(request, &records, &verdict),
                        Some(_) => None,
                    };
                    return Ok(made(verdict, Some(identity)));
                }
                Decided::Stale => self.forget(token),
            }
        }
        // A handle goes stale when keys change between the two calls. Twice in a row is a fault.
        for _ in 0..2 {
            let (handle, needs) = match self.engine.begin(token.text, request.now, detail)? {
                Begun::Refused(verdict) => return Ok(made(verdict, None)),
                Begun::Needs { handle, needs } => (handle, needs),
            };
            if let Some(need) = needs.key
                && !key_is_unknown
            {
                return Ok(Decision::Key(need.issuer));
            }
            let signature = needs
                .signature
                .as_ref()
                .map(|need| self.signatures.check(token.text, need));
            let proof = needs.proof.as_ref().and_then(prove);
            let found = records(state, &needs.records);
            let answers = Answers {
                signature,
                confirmed: proof.as_deref(),
                records: &found,
            };
            let decided = with_directory(engines, &needs.records, request, |request| {
                self.engine.decide(handle, request, &answers, detail)
            });
            let Decided::Verdict(verdict) = decided? else {
                continue;
            };
            if signature == Some(false) {
                return Ok(made(verdict, None));
            }
            let text = self.engine.inspect_token(token.text, request.now)?;
            let identity = Arc::new(Identity::read(&text, &engines.configuration));
            self.remember(
                engines,
                token,
                Known {
                    handle,
                    records: needs.records.into(),
                    proof: needs.proof.map(Arc::new),
                    identity: Arc::clone(&identity),
                    answered: None,
                    generation: 0,
                },
            );
            return Ok(made(verdict, Some(identity)));
        }
        Err(EngineError::Answer(
            "the token is still stale after it began again".to_owned(),
        ))
    }

    fn forget(&mut self, token: Hashed<'_>) {
        let entry = self
            .known
            .find_entry(token.hash, |(text, _)| **text == *token.text);
        if let Ok(entry) = entry {
            entry.remove();
        }
    }

    fn remember(&mut self, engines: &Engines, token: Hashed<'_>, known: Known) {
        if token.text.len() > KNOWN_BYTES {
            return;
        }
        if self.known.len() >= KNOWN {
            // The engine keeps what it knows: a token that comes again only has its text handed over once more.
            self.known.clear();
        }
        self.forget(token);
        let hash = |(text, _): &(Box<str>, Known)| engines.hasher.hash_one(&**text);
        self.known
            .insert_unique(token.hash, (token.text.into(), known), hash);
    }
}

const fn made(verdict: Verdict, identity: Option<Arc<Identity>>) -> Decision {
    Decision::Made {
        verdict,
        identity,
        session_controls: Vec::new(),
    }
}

fn records<'s>(state: &'s StateTable, keys: &[StateKey]) -> Vec<RecordAnswer<'s>> {
    let answer = |key| {
        let bytes = state.bytes(key);
        bytes.map_or(RecordAnswer::None, RecordAnswer::Found)
    };
    keys.iter().map(answer).collect()
}

/// The request, with what the directory and the tenant know of the user.
fn with_directory<T>(
    engines: &Engines,
    keys: &[StateKey],
    request: &Request<'_>,
    then: impl FnOnce(&Request<'_>) -> T,
) -> T {
    let directory = engines.directory.as_ref();
    match directory.and_then(|directory| directory.listed(keys)) {
        None => with_tenant(engines, keys, request, then),
        Some(listed) => {
            let facts = listed.complete(request.facts);
            with_tenant(engines, keys, &Request { facts, ..*request }, then)
        }
    }
}

fn with_tenant<T>(
    engines: &Engines,
    keys: &[StateKey],
    request: &Request<'_>,
    then: impl FnOnce(&Request<'_>) -> T,
) -> T {
    match &engines.tenant {
        None => then(request),
        Some(view) => view.complete(keys, request.facts, request.now, |facts| {
            then(&Request { facts, ..*request })
        }),
    }
}

impl Identity {
    /// From what the engine says of a token that it accepts.
    fn read(inspection: &str, configuration: &Configuration) -> Self {
        let read: Value = serde_json::from_str(inspection).unwrap_or_default();
        let text = |name: &str| word(&read, name).unwrap_or_default().to_owned();
        let issuer = text("issuer");
        let scope = text("scope");
        // The engine compares subjects without case; who they are is told as the issuer writes it.
        let claims = member(&read, "claims");
        let known = configuration.issuers.iter();
        let subject = known
            .filter_map(|it| it.claims.value(Part::User, claims)?.as_str())
            .find(|subject| subject.eq_ignore_ascii_case(&text("subject")))
            .map_or_else(|| text("subject"), str::to_owned);
        let tenant = if scope == issuer {
            String::new()
        } else {
            scope
        };
        let client = word(member(&read, "summary"), "clientId").unwrap_or_default();
        Self {
            headers: [&subject, &tenant, client].map(header_value),
            client: client.to_owned(),
            subject,
            capable: member(&read, "capable").as_bool().unwrap_or(false),
            issuer,
        }
    }
}

/// Text as a header value: what is not printable ASCII is percent-encoded as UTF-8, as is `%` itself.
pub(super) fn header_value(text: &str) -> HeaderValue {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'%';
    let encoded: Cow<'_, str> = if text.bytes().all(plain) {
        Cow::Borrowed(text)
    } else {
        let byte = |byte: u8| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        Cow::Owned(text.bytes().map(byte).collect())
    };
    HeaderValue::from_str(&encoded).unwrap_or(HeaderValue::from_static(""))
}

fn session_controls(evaluation: &str) -> Vec<String> {
    let read: Value = serde_json::from_str(evaluation).unwrap_or_default();
    let controls = member(&read, "sessionControls").as_array();
    let names = controls.into_iter().flatten().filter_map(Value::as_str);
    names.map(str::to_owned).collect()
}

/// Whether some policy holds a session control that the application itself has to honour.
fn has_session_controls(configuration: &str) -> bool {
    const ENFORCED: [&str; 2] = ["signInFrequency", "continuousAccessEvaluation"];
    fn holds(value: &Value) -> bool {
        match value {
            Value::Object(members) => members.iter().any(|(name, value)| {
                let controls = value.as_object().filter(|_| name == "sessionControls");
                let mut others = controls
                    .into_iter()
                    .flatten()
                    .filter(|(name, value)| !value.is_null() && !ENFORCED.contains(&name.as_str()));
                others.next().is_some() || holds(value)
            }),
            Value::Array(list) => list.iter().any(holds),
            _ => false,
        }
    }
    serde_json::from_str(configuration).is_ok_and(|value| holds(&value))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // An engine that panicked in the middle of a call made no instance of the guest unusable: that one is boxed and gone.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
