//! Engine settings and their profiles (`enforcement.md` §8).

pub(super) mod reading;

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::fault::Fault;
use super::read::Node;
use crate::json::{Limits, Value};
use crate::policy::strength::{self, Strengths};
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
    /// Whether tokens are enforced for which any policy is configured. In 2020 only tenants without
    /// Conditional Access policies took part.
    pub enforce_tenants_with_policies: bool,
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
    /// Authentication strengths by lower-case id: the built-in ones, and those of `authenticationStrengths`.
    pub authentication_strengths: Strengths,
    /// Scopes that a path prefix requires.
    pub required_scopes: BTreeMap<String, Vec<String>>,
    /// Authentication contexts that a path prefix requires.
    pub required_authentication_contexts: BTreeMap<String, Vec<String>>,
    /// Bounds of access tokens; at most [`Limits::TOKEN`].
    pub token_limits: Limits,
    /// Bounds of security event tokens; at most [`Limits::EVENT`].
    pub event_limits: Limits,
}

impl Settings {
    /// Whether some route requires something: only then does a decision read the path of the request.
    #[must_use]
    pub fn reads_path(&self) -> bool {
        !self.required_scopes.is_empty() || !self.required_authentication_contexts.is_empty()
    }

    /// The defaults of a profile, each as `enforcement.md` §8 gives it.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        let full = Self {
            profile,
            // Covers clocks that drift between synchronisations; every second more is a second that a token of a
            // revoked session may live on.
            clock_skew: 60,
            signal_skew: 300,
            enforce_guests: true,
            enforce_incapable_clients: true,
            enforce_tenants_with_policies: true,
            location_enforcement: LocationEnforcement::Strict,
            max_location_ranges: None,
            max_token_age_capable: 28 * HOUR,
            max_token_age_other: 24 * HOUR,
            critical_risk_level: RiskLevel::High,
            undetermined: Undetermined::Report,
            undetermined_by_policy: BTreeMap::new(),
            unseen_member: None,
            allow_tenant_wide: false,
            on_error: OnError::Deny,
            on_stale_signals: OnStaleSignals::Report,
            max_signal_age: None,
            policy_change_grace: 2 * HOUR,
            policy_changed_at: BTreeMap::new(),
            country_at_resource: false,
            private_addresses: PrivateAddresses::Missing,
            middle_tier_clients: Vec::new(),
            application_groups: known_application_groups(),
            authentication_strengths: strength::built_in(),
            required_scopes: BTreeMap::new(),
            required_authentication_contexts: BTreeMap::new(),
            token_limits: Limits::TOKEN,
            event_limits: Limits::EVENT,
        };
        let entra = |full| Self {
            enforce_guests: false,
            enforce_incapable_clients: false,
            location_enforcement: LocationEnforcement::Standard,
            max_location_ranges: Some(5_000),
            undetermined: Undetermined::Ignore,
            ..full
        };
        match profile {
            Profile::Full => full,
            Profile::Entra => entra(full),
            // SPEC: cae.md §3 and §10: 24 h, and only tenants without Conditional Access policies.
            Profile::Entra2020 => Self {
                max_token_age_capable: 24 * HOUR,
                enforce_tenants_with_policies: false,
                ..entra(full)
            },
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::of(Profile::Full)
    }
}

/// Reads a document that holds nothing but `settings.applicationGroups`.
pub(crate) fn application_groups(
    document: &Value,
    faults: &mut Vec<Fault>,
) -> BTreeMap<String, ApplicationGroup> {
    reading::application_groups(
        Some(Node::root(document, faults)),
        known_application_groups(),
    )
}

const HOUR: u64 = 3_600;

/// Groups whose membership Microsoft maintains and publishes by name, not by id (`policy-semantics.md` row 17).
///
/// Entra's page "Apps included in Conditional Access Office 365 app suite" gives the names, "Verify first-party
/// Microsoft applications in sign-in reports" the ids. Names repeat and most have no published id: the lists are open.
fn known_application_groups() -> BTreeMap<String, ApplicationGroup> {
    let office365 = [
        "00000002-0000-0ff1-ce00-000000000000", // Office 365 Exchange Online
        "00000003-0000-0ff1-ce00-000000000000", // Office 365 SharePoint Online
        "00000004-0000-0ff1-ce00-000000000000", // Skype for Business Online
        "00000005-0000-0ff1-ce00-000000000000", // Viva Engage, formerly Yammer
        "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe", // Microsoft Teams Services
    ];
    let open = |ids: &[&str]| ApplicationGroup {
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        complete: false,
    };
    BTreeMap::from([
        ("office365".to_owned(), open(&office365)),
        ("microsoftadminportals".to_owned(), open(&[])),
        ("allagentidresources".to_owned(), open(&[])),
    ])
}
