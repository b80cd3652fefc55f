//! The conversation of design §6: the engine asks, the host answers.

use alloc::string::String;
use alloc::vec::Vec;

use crate::decision::request::{Answers, Request};
use crate::state::StateKey;
use crate::time::UnixTime;

pub mod handles;
pub mod native;
#[cfg(test)]
mod tests;

pub use native::{Engine, Presenter};

/// Names a token inside one engine instance. Never valid in another one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Handle(pub u64);

/// What `begin` comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Begun {
    /// The host answers the needs and calls `decide`.
    Needs {
        /// The token from here on.
        handle: Handle,
        /// What the decision needs.
        needs: Needs,
    },
    /// Refused at once.
    Refused(Verdict),
}

/// What the engine asks of the host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// Check this signature; absent for a token that was verified before.
    pub signature: Option<SignatureNeed>,
    /// A key that is not in the key set: fetch the issuer's keys, hand them over with `set_keys`, begin again;
    /// or call `decide`, which then refuses the token.
    pub key: Option<KeyNeed>,
    /// The token is bound to a key: say which thumbprint the presenter proved, if any.
    pub proof: Option<ProofNeed>,
    /// Fetch these records.
    pub records: Vec<StateKey>,
}

/// A signature to check with the host's cryptography.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignatureNeed {
    /// Identifies the key within the configuration's key epoch; equal ids are equal keys.
    pub key_id: String,
    /// The key: a public JWK as canonical JSON.
    pub key: String,
    /// JWS algorithm name (RFC 7518 §3.1), already checked against the allow-list and the key.
    pub algorithm: &'static str,
    /// Length of the signing input: the token's bytes before its last dot.
    pub signing_input: usize,
}

/// A key to fetch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyNeed {
    /// Issuer (of tokens or events) as configured.
    pub issuer: String,
    /// `kid` of the token, if it has one.
    pub kid: Option<String>,
}

/// Proof of possession to check (RFC 8705, RFC 9449).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProofNeed {
    /// `jkt`, `x5t#S256` or `unknown`.
    pub method: &'static str,
    /// The thumbprint that has to be proved.
    pub thumbprint: String,
}

/// The typed answer of the hot path.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Allow, challenge or deny.
    pub outcome: crate::decision::Outcome,
    /// HTTP status: 200, 400, 401, 403 or 503.
    pub status: u16,
    /// Value of `WWW-Authenticate`, only when refusing.
    pub www_authenticate: Option<String>,
    /// Stable reason codes, most decisive first; empty for a plain allow.
    pub reasons: Vec<String>,
    /// State to remember: the host merges these before it answers the client.
    pub changes: Vec<Change>,
    /// The first moment at which time alone can change the decision.
    pub revisit_at: Option<UnixTime>,
    /// For how many seconds the host may reuse this answer if no event arrives.
    pub may_reuse_without_events: u32,
    /// The evaluation as canonical JSON, if asked for.
    pub json: Option<String>,
}

/// One record to merge into the state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// Under this key.
    pub key: StateKey,
    /// Canonical record bytes.
    pub record: Vec<u8>,
}

/// What `decide` comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Decided {
    /// The decision.
    Verdict(Verdict),
    /// The handle is unknown, or its token would not pass any more: begin again.
    Stale,
}

/// How much of the evaluation to write as JSON.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Detail {
    /// None: the hot path.
    #[default]
    None,
    /// The decision, its reasons, the policies that applied or could not be told.
    Decision,
    /// Every check and every policy as well.
    Explain,
}

/// What a host found out about the signature of a SET.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SignatureAnswer {
    /// Not asked yet.
    #[default]
    NotChecked,
    /// It verifies with the key that was named.
    Valid,
    /// It does not.
    Invalid,
    /// The issuer's keys were fetched and the key is still unknown.
    KeyUnknown,
}

/// What somebody wants to know about a SET.
#[derive(Clone, Copy, Debug)]
pub struct EventQuestion<'a> {
    /// The SET: compact, or the JSON of its payload.
    pub text: &'a str,
    /// Whether it is the JSON of a payload.
    pub unsigned: bool,
    /// When it arrived.
    pub received_at: UnixTime,
    /// What the host found out about its signature; nobody asks for it here.
    pub signature: SignatureAnswer,
    /// An access token to hold it against.
    pub against: Option<&'a str>,
}

/// What `read_event` comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum EventReading {
    /// Check this signature, then read the same SET again with the answer.
    NeedsSignature(SignatureNeed),
    /// Fetch the transmitter's keys, hand them over with `set_keys`, read again.
    NeedsKey(KeyNeed),
    /// Accepted: merge the changes, then acknowledge.
    Accepted(AcceptedEvent),
    /// Rejected: the state stays as it is.
    Rejected(RejectedEvent),
}

/// A SET that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct AcceptedEvent {
    /// Issuer URL of the transmitter.
    pub transmitter: String,
    /// `jti`: the host drops a repeat.
    pub jti: String,
    /// Records to merge; empty for events without effect on tokens.
    pub changes: Vec<Change>,
    /// The reading as canonical JSON: event types, subjects, keys, effects, notes.
    pub json: String,
}

/// A SET that was rejected.
#[derive(Clone, Debug, PartialEq)]
pub struct RejectedEvent {
    /// RFC 8935 §2.4 or SSF 1.0 §11 code.
    pub code: &'static str,
    /// One line that names the fault, never the contents.
    pub description: String,
    /// The same as canonical JSON.
    pub json: String,
}

/// One engine, however it runs: native, in wasmtime, in a JavaScript host.
///
/// Scenarios and hosts are written against this trait, so that the same conversation tests the shipped artefact.
pub trait Conversation {
    /// What can go wrong in reaching the engine; uninhabited for the native one.
    type Error;

    /// Reads a token and says what its decision needs; `detail` is how much JSON a refusal carries.
    ///
    /// # Errors
    /// The engine could not be reached.
    fn begin(&mut self, token: &str, now: UnixTime, detail: Detail) -> Result<Begun, Self::Error>;

    /// Decides one request with a token that began before.
    ///
    /// # Errors
    /// The engine could not be reached.
    fn decide(
        &mut self,
        handle: Handle,
        request: &Request<'_>,
        answers: &Answers<'_>,
        detail: Detail,
    ) -> Result<Decided, Self::Error>;

    /// Reads a security event token or a logout token that was received at `received_at`.
    ///
    /// # Errors
    /// The engine could not be reached.
    fn read_event(
        &mut self,
        set: &str,
        received_at: UnixTime,
        signature: SignatureAnswer,
    ) -> Result<EventReading, Self::Error>;

    /// Says in words what a security event token does, and whether it hits a token (canonical JSON). Nothing takes
    /// effect.
    ///
    /// # Errors
    /// The engine could not be reached.
    fn explain_event(&mut self, question: &EventQuestion<'_>) -> Result<String, Self::Error>;

    /// The merge of two records, as canonical bytes; `Ok(None)` if one of them cannot be read.
    ///
    /// # Errors
    /// The engine could not be reached.
    fn merge(&mut self, a: &[u8], b: &[u8]) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Replaces the key set of an issuer or transmitter; the answer is a JSON list of faults, empty if it took.
    ///
    /// # Errors
    /// The engine could not be reached.
    fn set_keys(&mut self, issuer: &str, jwks: &str) -> Result<String, Self::Error>;

    /// Replaces the configuration, all or nothing; the answer is a JSON list of faults, empty if it took.
    ///
    /// # Errors
    /// The engine could not be reached.
    fn reconfigure(&mut self, configuration: &str) -> Result<String, Self::Error>;

    /// How many of the tokens that the engine knows the configuration in force may turn away because of what changed in it:
    /// those that do not pass it any more, and those that an enabled policy is newer than (`TokenCreatedWithOutdatedPolicies`,
    /// `enforcement.md` §6). Asked after a change, it says whom that may hit; every known token is looked at.
    ///
    /// # Errors
    /// The engine could not be reached.
    fn outdated_tokens(&mut self, now: UnixTime) -> Result<u32, Self::Error>;

    /// The issuer's end: evaluates a sign-in or a claims request (JSON in, canonical JSON out).
    ///
    /// # Errors
    /// The engine could not be reached.
    fn sign_in(&mut self, request: &str) -> Result<String, Self::Error>;

    /// Decodes a token and says what it yields and whether it is acceptable (canonical JSON).
    ///
    /// # Errors
    /// The engine could not be reached.
    fn inspect_token(&mut self, token: &str, now: UnixTime) -> Result<String, Self::Error>;
}
