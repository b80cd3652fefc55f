//! `settings` of an engine configuration: the defaults of the profile, then what is given.

use alloc::borrow::ToOwned as _;
use alloc::collections::btree_map::{BTreeMap, Entry};
use alloc::string::String;
use alloc::vec::Vec;

use super::{
    ApplicationGroup, HOUR, LocationEnforcement, OnError, OnStaleSignals, PrivateAddresses,
    Profile, Settings, Undetermined,
};
use crate::configuration::read::{BAD_VALUE, Choice, DUPLICATE, Node, ObjectReader};
use crate::configuration::values;
use crate::json::Limits;
use crate::state::record::{RiskLevel, UnseenMember};

/// The keys of `settings`.
pub(in crate::configuration) const KEYS: &[&str] = &[
    "profile",
    "clockSkewSeconds",
    "signalSkewSeconds",
    "enforceGuests",
    "enforceIncapableClients",
    "enforceTenantsWithPolicies",
    "locationEnforcement",
    "maxLocationRanges",
    "maxTokenAgeSeconds",
    "criticalRiskLevel",
    "undetermined",
    "unseenMember",
    "allowTenantWide",
    "onError",
    "onStaleSignals",
    "maxSignalAgeSeconds",
    "policyChangeGraceSeconds",
    "policyChangedAt",
    "countryAtResource",
    "privateAddresses",
    "middleTierClients",
    "applicationGroups",
    "requiredScopes",
    "requiredAuthenticationContexts",
    "limits",
];

/// The keys of `settings.maxTokenAgeSeconds`.
pub(in crate::configuration) const TOKEN_AGE_KEYS: &[&str] = &["capable", "other"];

/// The keys of one of `settings.applicationGroups`.
pub(in crate::configuration) const APPLICATION_GROUP_KEYS: &[&str] = &["ids", "complete"];

/// The keys of `settings.limits`.
pub(in crate::configuration) const LIMITS_KEYS: &[&str] = &["tokenBytes", "setBytes", "depth"];

const DAY: u64 = 24 * HOUR;

pub(in crate::configuration) fn read(mut object: ObjectReader<'_, '_>) -> Settings {
    let profile = object.choice("profile", Profile::default());
    let defaults = Settings::of(profile);
    let token_age = token_age(&mut object, &defaults);
    let (undetermined, undetermined_by_policy) = undetermined(&mut object, &defaults);
    let (token_limits, event_limits) = limits(&mut object);
    Settings {
        profile,
        clock_skew: object.integer("clockSkewSeconds", 0..=600, defaults.clock_skew),
        signal_skew: object.integer("signalSkewSeconds", 0..=HOUR, defaults.signal_skew),
        enforce_guests: object.flag("enforceGuests", defaults.enforce_guests),
        enforce_incapable_clients: object.flag(
            "enforceIncapableClients",
            defaults.enforce_incapable_clients,
        ),
        enforce_tenants_with_policies: object.flag(
            "enforceTenantsWithPolicies",
            defaults.enforce_tenants_with_policies,
        ),
        location_enforcement: object.choice("locationEnforcement", defaults.location_enforcement),
        max_location_ranges: max_location_ranges(&mut object, defaults.max_location_ranges),
        max_token_age_capable: token_age.0,
        max_token_age_other: token_age.1,
        critical_risk_level: object.choice("criticalRiskLevel", defaults.critical_risk_level),
        undetermined,
        undetermined_by_policy,
        unseen_member: object
            .get("unseenMember")
            .and_then(|mut node| node.choice()),
        allow_tenant_wide: object.flag("allowTenantWide", defaults.allow_tenant_wide),
        on_error: object.choice("onError", defaults.on_error),
        on_stale_signals: object.choice("onStaleSignals", defaults.on_stale_signals),
        max_signal_age: object
            .get("maxSignalAgeSeconds")
            .and_then(|mut node| node.integer(10..=30 * DAY)),
        policy_change_grace: object.integer(
            "policyChangeGraceSeconds",
            0..=DAY,
            defaults.policy_change_grace,
        ),
        policy_changed_at: by_id(object.get("policyChangedAt"), values::instant),
        country_at_resource: object.flag("countryAtResource", defaults.country_at_resource),
        private_addresses: object.choice("privateAddresses", defaults.private_addresses),
        middle_tier_clients: object
            .list("middleTierClients", "a client application id", |text| {
                values::identifier(text).map(|id| id.to_lowercase())
            })
            .unwrap_or_default(),
        application_groups: application_groups(
            object.get("applicationGroups"),
            defaults.application_groups,
        ),
        // A document of its own: see `configuration::authentication_strengths`.
        authentication_strengths: defaults.authentication_strengths,
        required_scopes: by_path(object.get("requiredScopes"), "a scope without spaces"),
        required_authentication_contexts: by_path(
            object.get("requiredAuthenticationContexts"),
            "an authentication context (such as `c1`) without spaces",
        ),
        token_limits,
        event_limits,
    }
}

/// `{ capable, other }`. A minute at least, or no token would ever pass; a week at most, or the cap caps nothing.
fn token_age(settings: &mut ObjectReader<'_, '_>, defaults: &Settings) -> (u64, u64) {
    let mut ages = settings.object("maxTokenAgeSeconds", TOKEN_AGE_KEYS);
    (
        ages.integer("capable", 60..=7 * DAY, defaults.max_token_age_capable),
        ages.integer("other", 60..=7 * DAY, defaults.max_token_age_other),
    )
}

/// A number of ranges, or `"unlimited"`, which undoes the limit of a profile.
fn max_location_ranges(
    settings: &mut ObjectReader<'_, '_>,
    default: Option<usize>,
) -> Option<usize> {
    let Some(mut node) = settings.get("maxLocationRanges") else {
        return default;
    };
    if node.value().is_string() {
        node.choice::<Unlimited>();
        return None;
    }
    let most = node.integer(0..=10_000_000)?;
    usize::try_from(most).ok()
}

/// One value for all policies, or a table from policy ids (and `default`) to values.
fn undetermined(
    settings: &mut ObjectReader<'_, '_>,
    defaults: &Settings,
) -> (Undetermined, BTreeMap<String, Undetermined>) {
    let node = settings.get("undetermined");
    match node {
        Some(mut one) if !one.value().is_object() => {
            let choice = one.choice().unwrap_or(defaults.undetermined);
            (choice, BTreeMap::new())
        }
        table => {
            let mut by_policy = by_id(table, |mut node| node.choice());
            let default = by_policy.remove("default");
            (default.unwrap_or(defaults.undetermined), by_policy)
        }
    }
}

/// A given group replaces the default one of that name.
pub(super) fn application_groups(
    given: Option<Node<'_, '_>>,
    mut groups: BTreeMap<String, ApplicationGroup>,
) -> BTreeMap<String, ApplicationGroup> {
    let given = by_id(given, |node| {
        let mut group = node.object(APPLICATION_GROUP_KEYS);
        let ids = group.list("ids", values::GUID, values::guid);
        Some(ApplicationGroup {
            ids: ids.unwrap_or_default(),
            complete: group.flag("complete", false),
        })
    });
    groups.extend(given);
    groups
}

/// A table whose keys compare without case, as ids do everywhere in Graph.
fn by_id<'v, T>(
    node: Option<Node<'v, '_>>,
    mut read: impl FnMut(Node<'v, '_>) -> Option<T>,
) -> BTreeMap<String, T> {
    let mut table = BTreeMap::new();
    let Some(mut node) = node else { return table };
    node.members(|id, mut node| match table.entry(id.to_lowercase()) {
        Entry::Vacant(place) => read(node).map(|value| {
            place.insert(value);
        }),
        Entry::Occupied(_) => {
            let message = "is given before in other case; remove one of the two";
            node.fault(DUPLICATE, message);
            None
        }
    });
    table
}

/// A table from path prefixes to what they require: one text or several.
fn by_path(node: Option<Node<'_, '_>>, expected: &str) -> BTreeMap<String, Vec<String>> {
    let Some(mut node) = node else {
        return BTreeMap::new();
    };
    let prefixes = node.members(|prefix, mut node| {
        if !values::is_path_prefix(prefix) {
            let message = "a path prefix starts with `/` and holds no query, fragment, escape, parameter, backslash, \
                           dot segment or empty segment, or it could never match";
            node.fault(BAD_VALUE, message);
        }
        let required = node.one_or_more(|mut node| node.parse(expected, values::scope));
        node.refuse_empty("list what the path requires, or remove it");
        Some((prefix.to_owned(), required))
    });
    prefixes.into_iter().collect()
}

/// Limits can be lowered only: what lies above is refused before it is parsed.
fn limits(settings: &mut ObjectReader<'_, '_>) -> (Limits, Limits) {
    let mut limits = settings.object("limits", LIMITS_KEYS);
    let mut lowered = |key, least: u64, default: usize| {
        let most = u64::try_from(default).unwrap_or(u64::MAX);
        usize::try_from(limits.integer(key, least..=most, most)).unwrap_or(default)
    };
    let token_bytes = lowered("tokenBytes", 1_024, Limits::TOKEN.bytes);
    let event_bytes = lowered("setBytes", 1_024, Limits::EVENT.bytes);
    let depth = lowered("depth", 4, Limits::TOKEN.depth);
    let bounds = |bytes| Limits { bytes, depth };
    (bounds(token_bytes), bounds(event_bytes))
}

/// The word that stands for "no limit".
#[derive(Clone, Copy)]
struct Unlimited;

impl Choice for Unlimited {
    const NAMES: &'static [(&'static str, Self)] = &[("unlimited", Self)];
}

impl Choice for Profile {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("full", Self::Full),
        ("entra", Self::Entra),
        ("entra-2020", Self::Entra2020),
    ];
}

impl Choice for Undetermined {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("report", Self::Report),
        ("ignore", Self::Ignore),
        ("deny", Self::Deny),
    ];
}

impl Choice for LocationEnforcement {
    const NAMES: &'static [(&'static str, Self)] =
        &[("standard", Self::Standard), ("strict", Self::Strict)];
}

impl Choice for OnStaleSignals {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("report", Self::Report),
        ("shortTokens", Self::ShortTokens),
        ("deny", Self::Deny),
    ];
}

impl Choice for OnError {
    const NAMES: &'static [(&'static str, Self)] = &[("deny", Self::Deny), ("allow", Self::Allow)];
}

impl Choice for PrivateAddresses {
    const NAMES: &'static [(&'static str, Self)] =
        &[("missing", Self::Missing), ("ordinary", Self::Ordinary)];
}

/// The levels that can be critical; with `none` every event would be.
impl Choice for RiskLevel {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("low", Self::Low),
        ("medium", Self::Medium),
        ("high", Self::High),
    ];
}

impl Choice for UnseenMember {
    const NAMES: &'static [(&'static str, Self)] =
        &[("precise", Self::Precise), ("failSafe", Self::FailSafe)];
}
