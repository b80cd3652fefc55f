//! Engine settings and their profiles (`enforcement.md` §8).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::state::record::{RiskLevel, UnseenMember};
use crate::time::UnixTime;

/// Which set of defaults holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Profile {
    /// Everything is enforced.
    #[default]
    Full,
    /// The documented behaviour of the Microsoft implementation, its limits included.
    Entra,
    /// As in 2020: 24 h, and no enforcement for tenants with policies.
    Entra2020,
}

/// What to do with a policy whose conditions cannot be told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Undetermined {
    /// Not enforced, listed and counted.
    Report,
    /// Not enforced, not counted.
    Ignore,
    /// Refused with 403.
    Deny,
}

/// How a location policy is enforced against a client that the issuer sees elsewhere (`cae.md` §9).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LocationEnforcement {
    /// An answered challenge exempts for up to an hour.
    Standard,
    /// An answered challenge from a refused address is a denial.
    Strict,
}

/// What stale signals mean.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnStaleSignals {
    /// A reason in the answer, nothing else.
    Report,
    /// Only tokens younger than one hour pass.
    ShortTokens,
    /// Nothing passes.
    Deny,
}

/// What a fault of the guest means for the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnError {
    /// Refused.
    Deny,
    /// Passed; only ever for a guest fault, never for a missing fact or record.
    Allow,
}

/// What a private or loopback address outside every named location means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PrivateAddresses {
    /// The client address is missing: a proxy hides it.
    Missing,
    /// An address like any other.
    Ordinary,
}

/// A named group of applications, such as `Office365`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ApplicationGroup {
    /// Member application ids in lower case.
    pub ids: Vec<String>,
    /// Whether the list is complete: an application outside it is then known not to be a member.
    pub complete: bool,
}

/// The settings in force.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Profile whose defaults these are.
    pub profile: Profile,
    /// Tolerated clock difference to issuers, in seconds.
    pub clock_skew: u64,
    /// Tolerated clock difference to transmitters, in seconds.
    pub signal_skew: u64,
    /// Whether guests are enforced.
    pub enforce_guests: bool,
    /// Whether clients without `cp1` are enforced.
    pub enforce_incapable_clients: bool,
    /// Standard or strict location enforcement.
    pub location_enforcement: LocationEnforcement,
    /// Most IP ranges for which location is enforced; `None` is unlimited.
    pub max_location_ranges: Option<usize>,
    /// Age cap of tokens of capable clients, in seconds.
    pub max_token_age_capable: u64,
    /// Age cap of other tokens, in seconds.
    pub max_token_age_other: u64,
    /// Risk at or above which an event also cuts off.
    pub critical_risk_level: RiskLevel,
    /// What to do with undetermined policies.
    pub undetermined: Undetermined,
    /// The same for single policies, by lower-case policy id.
    pub undetermined_by_policy: BTreeMap<String, Undetermined>,
    /// Unseen members; `None` keeps the rule of `enforcement.md` §2.
    pub unseen_member: Option<UnseenMember>,
    /// Whether an event may name a whole tenant.
    pub allow_tenant_wide: bool,
    /// What a guest fault means.
    pub on_error: OnError,
    /// What stale signals mean.
    pub on_stale_signals: OnStaleSignals,
    /// Age above which signals are stale, in seconds.
    pub max_signal_age: Option<u64>,
    /// Longest grace after a policy change, in seconds.
    pub policy_change_grace: u64,
    /// When policies changed, by lower-case policy id.
    pub policy_changed_at: BTreeMap<String, UnixTime>,
    /// Whether countries are evaluated at the resource.
    pub country_at_resource: bool,
    /// What private addresses mean.
    pub private_addresses: PrivateAddresses,
    /// Client application ids that may forward the user's address, in lower case.
    pub middle_tier_clients: Vec<String>,
    /// Members of named application groups, by lower-case name.
    pub application_groups: BTreeMap<String, ApplicationGroup>,
    /// Scopes that a path prefix requires.
    pub required_scopes: BTreeMap<String, Vec<String>>,
    /// Authentication contexts that a path prefix requires.
    pub required_authentication_contexts: BTreeMap<String, Vec<String>>,
}
