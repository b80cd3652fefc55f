//! What a scenario file says.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::expect::ExpectationKey;
use crate::configuration::issuer::Preset;
use crate::json::{Map, Value};
use crate::time::UnixTime;

/// A scenario: who takes part, how the engine is configured, and what happens when.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// One line.
    pub title: String,
    /// What a newcomer should know before reading the timeline.
    pub description: String,
    /// Source of every number that would be random in a real issuer.
    pub seed: u64,
    /// When the timeline begins.
    pub start: UnixTime,
    /// Issuers of access tokens, by name.
    pub issuers: BTreeMap<String, TokenIssuer>,
    /// Transmitters of security events, by name.
    pub transmitters: BTreeMap<String, EventTransmitter>,
    /// Devices, by name.
    pub devices: BTreeMap<String, Device>,
    /// Users, by name.
    pub users: BTreeMap<String, User>,
    /// Clients, by name.
    pub clients: BTreeMap<String, Client>,
    /// The engine's configuration without keys.
    pub engine: Map<String, Value>,
    /// What happens, in order of time.
    pub timeline: Vec<Step>,
}

/// The signing keys of an issuer or a transmitter.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SigningKeys {
    /// Key id → Ed25519 seed (RFC 8032 §5.1.5).
    pub seeds: BTreeMap<String, [u8; 32]>,
    /// The key that signs at first.
    pub signing: String,
    /// The keys that are published at first.
    pub published: Vec<String>,
}

/// An issuer of access tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenIssuer {
    /// `iss` of its tokens.
    pub issuer: String,
    /// Under which `issuer` the engine knows it; the same unless that one holds `{tenantid}`.
    pub configured_as: String,
    /// Shape of its tokens.
    pub preset: Preset,
    /// `tid` of Entra tokens.
    pub tenant: Option<String>,
    /// Its keys.
    pub keys: SigningKeys,
    /// `aud` of its tokens.
    pub audience: Value,
    /// By how many seconds `iat` lies before the real issue time.
    pub issue_time_backdated: u64,
    /// Claims of all its tokens; they replace what the preset puts there, `null` removes.
    pub claims: Map<String, Value>,
}

/// A transmitter of security events.
#[derive(Clone, Debug, PartialEq)]
pub struct EventTransmitter {
    /// `iss` of its SETs.
    pub issuer: String,
    /// `aud` of its SETs, if they have one.
    pub audience: Option<String>,
    /// Its keys.
    pub keys: SigningKeys,
}

/// A device.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Its id in the directory.
    pub id: String,
    /// Graph's name of its platform.
    pub platform: Option<String>,
    /// Whether the issuer holds it to be compliant.
    pub is_compliant: Option<bool>,
    /// Further members of Graph's `deviceInfo`.
    pub attributes: Map<String, Value>,
}

/// The addresses from which somebody is seen.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Network {
    /// By the issuer.
    pub issuer_sees: Option<String>,
    /// By the resource.
    pub resource_sees: Option<String>,
}

/// Member or guest, as the issuer's directory says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum DirectoryUserType {
    /// An ordinary member.
    #[default]
    Member,
    /// A guest.
    Guest,
}

impl DirectoryUserType {
    /// The word for it in questions to the issuer.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Guest => "guest",
        }
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// Name of the issuer at which the user signs in.
    pub issuer: String,
    /// `oid`, `uid`: the identifier that policies and events name.
    pub object_id: String,
    /// `sub` where it differs from the object id (Entra: pairwise; Okta: the login).
    pub subject: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// `sid` of the user's sessions.
    pub session_id: Option<String>,
    /// Group ids.
    pub groups: Vec<String>,
    /// Directory role template ids.
    pub roles: Vec<String>,
    /// Member or guest.
    pub user_type: DirectoryUserType,
    /// Name of the device that the user works on.
    pub device: Option<String>,
    /// Grant controls (Graph's names) that the user meets when asked to interact.
    pub satisfies: Vec<String>,
    /// Graph's name of the user's risk level at the issuer.
    pub risk_level: Option<String>,
    /// Where the user is at first.
    pub network: Network,
    /// Claims of the user's tokens; they replace what the preset puts there, `null` removes.
    pub claims: Map<String, Value>,
}

/// For whom a client signs in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SignsIn {
    /// For users.
    Users,
    /// For itself, with client credentials.
    Itself {
        /// Name of the issuer.
        issuer: String,
        /// Object id of its service principal.
        service_principal_id: String,
        /// Where it runs at first.
        network: Network,
    },
}

/// A client of the resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// Its application id.
    pub application_id: String,
    /// Client capabilities that it declares, such as `cp1`.
    pub capabilities: Vec<String>,
    /// Whether it takes a challenge back to the issuer; else it hands the 401 to its user.
    pub handles_challenges: bool,
    /// For whom it signs in.
    pub signs_in: SignsIn,
    /// Graph's name of its client app type.
    pub client_app_type: String,
    /// Scopes (for users) or application permissions (for itself) that it is granted.
    pub scopes: Vec<String>,
    /// Claims of its tokens; they replace what the preset puts there, `null` removes.
    pub claims: Map<String, Value>,
}

/// One step of the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When it happens.
    pub time: UnixTime,
    /// What the reader should notice.
    pub note: Option<String>,
    /// What happens.
    pub action: Action,
    /// What must come of it.
    pub expect: Expect,
}

/// Expected values by key; every one given must hold.
pub type Expect = Vec<(ExpectationKey, Value)>;

/// Who signs in or asks: a user through a client, or the client itself.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Party {
    /// Name of the user; `None` for a client that signs in for itself.
    pub user: Option<String>,
    /// Name of the client.
    pub client: String,
}

/// How a sign-in happens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Authentication {
    /// Whether the user is there and authenticates; else only what the session already holds counts.
    pub interactive: bool,
    /// Grant controls met in it; `None`: those that the user satisfies.
    pub satisfied: Option<Vec<String>>,
    /// Members of the question to the engine's issuer end that this sign-in gives besides, or otherwise: `signInRisk`,
    /// `transferMethod`, `userAction`, `session` …
    pub facts: Map<String, Value>,
    /// Name by which later steps refer to the token.
    pub token_name: Option<String>,
}

/// What happens in a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `signIn`: a token is asked for.
    SignIn {
        /// By whom.
        party: Party,
        /// How.
        authentication: Authentication,
    },
    /// `request`: the resource is asked.
    Request(Box<ResourceRequest>),
    /// `clientRetry`: the client takes its last challenge to the issuer and repeats its request with the new token.
    ClientRetry {
        /// Whose client.
        party: Party,
        /// How the user answers the issuer.
        authentication: Authentication,
    },
    /// `event`: a transmitter issues a SET.
    Event {
        /// Name of the transmitter.
        transmitter: String,
        /// Claims of the SET; `iss`, `aud`, `iat` and `jti` are filled in where absent, `null` leaves one out.
        claims: Map<String, Value>,
        /// JOSE header members besides `alg` and `kid`.
        header: Map<String, Value>,
        /// When the SET arrives at the resource; empty for never.
        deliveries: Vec<Delivery>,
    },
    /// `accountChange`: something happens to an account at the issuer. Events are steps of their own.
    AccountChange {
        /// Name of the user.
        user: String,
        /// What.
        change: AccountChange,
    },
    /// `policyChange`: policies, named locations or settings are replaced, at the issuer and the resource.
    PolicyChange(PolicyChange),
    /// `stateClear`: an operator of the resource gives every fact about a subject its neutral value (`cae state clear`).
    StateClear {
        /// `user:ID` and the like, or a subject identifier as JSON.
        subject: String,
        /// The issuer whose subject it is, by URL or scope, where several are configured.
        issuer: Option<String>,
    },
    /// `networkChange`: somebody moves.
    NetworkChange {
        /// Who.
        who: Mover,
        /// Where to; `None` keeps the address.
        network: Network,
    },
    /// `keyRotation`: an issuer or transmitter changes its keys.
    KeyRotation {
        /// Whose keys.
        owner: KeyOwner,
        /// The key that signs from now on.
        signing: Option<String>,
        /// The keys that are published from now on.
        published: Option<Vec<String>>,
        /// Whether the host fetches the key set now; else when the engine asks for an unknown key.
        fetched: bool,
    },
    /// `advance`: nothing happens but time.
    Advance,
}

/// What is replaced in the configuration; what is `None` stays.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyChange {
    /// Name of the issuer whose own policies change; `None` for those of the whole configuration.
    pub issuer: Option<String>,
    /// The new policies.
    pub policies: Option<Value>,
    /// The new named locations.
    pub named_locations: Option<Value>,
    /// Settings that change (RFC 7396 merge patch).
    pub settings: Option<Value>,
}

/// A request at the resource.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceRequest {
    /// Who asks.
    pub party: Party,
    /// Name of the token to present; `None`: the party's latest.
    pub token: Option<String>,
    /// Client address as the resource sees it; `None`: from the party's network.
    pub address: Option<String>,
    /// Country of the address.
    pub country: Option<String>,
    /// Authorization scheme.
    pub scheme: Option<String>,
    /// Path.
    pub path: Option<String>,
    /// Thumbprint that the presenter proves possession of.
    pub confirmed: Option<String>,
    /// Directory facts that the host knows.
    pub facts: HostFacts,
    /// Seconds since the last sign of life, by transmitter URL.
    pub signal_age: Vec<(String, u64)>,
}

/// Directory facts that the host of the resource knows (`facts` of design §9).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HostFacts {
    /// Transitive group ids.
    pub member_of: Option<Vec<String>>,
    /// Directory role template ids.
    pub roles: Option<Vec<String>>,
    /// `member` or `guest`.
    pub user_type: Option<String>,
    /// Graph's name of the client app type.
    pub client_app_type: Option<String>,
    /// Graph's name of the platform.
    pub platform: Option<String>,
    /// Whether the device is compliant.
    pub device_compliant: Option<bool>,
    /// Graph's `externalUserType`.
    pub external_user_type: Option<String>,
    /// Home tenant of an external user.
    pub external_tenant: Option<String>,
    /// What the host's device directory says: Graph's `deviceInfo`.
    pub device: Option<String>,
}

/// One arrival of a SET at the resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// When.
    pub time: UnixTime,
    /// What must come of it.
    pub expect: Expect,
}

/// What happens to an account at the issuer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AccountChange {
    /// No token of any kind any more.
    Disabled,
    /// Tokens again.
    Enabled,
    /// Every refresh token and session cookie is void.
    SessionsRevoked,
    /// A row of the refresh-token revocation matrix (`cae.md` §2), by the name that the engine's issuer end gives it.
    SessionEvent(&'static str),
    /// The user is asked for a second factor from now on: older sign-ins without it are void.
    MfaEnabled,
    /// The user's risk level at the issuer, in Graph's words.
    RiskLevel(String),
}

/// Who moves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Mover {
    /// A user, by name.
    User(String),
    /// A client that signs in for itself, by name.
    Client(String),
}

/// Whose keys change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyOwner {
    /// An issuer, by name.
    Issuer(String),
    /// A transmitter, by name.
    Transmitter(String),
}
