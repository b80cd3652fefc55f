//! `issuers` of an engine configuration.

use alloc::borrow::ToOwned as _;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{Dialect, Issuer, Preset};
use crate::configuration::read::{
    BAD_VALUE, Choice, DUPLICATE, MISSING_MEMBER, NOT_ALLOWED, Node, ObjectReader,
};
use crate::configuration::values::{self, TENANT_PLACEHOLDER};
use crate::token::claims::{self, ClaimMap};
use crate::token::keys::{Algorithm, KeySet};
use crate::token::read::OTHER_KINDS;

/// The keys of one of `issuers`.
pub(in crate::configuration) const KEYS: &[&str] = &[
    "issuer",
    "tenants",
    "claims",
    "issuerAliases",
    "scope",
    "typ",
    "issueTimeBackdated",
    "honoursNbf",
    "enforcesPolicies",
    "emailIsStable",
    "aliases",
    "alwaysPresent",
    "acrValues",
    "assuranceLevels",
    "algorithms",
    "jwks",
    "jwksUri",
    "challenge",
    "audiences",
    "policies",
    "namedLocations",
];

/// The keys of an issuer that may stand in its `claims` instead.
pub(in crate::configuration) const RULE_KEYS: &[&str] = &[
    "issuerAliases",
    "scope",
    "typ",
    "issueTimeBackdated",
    "honoursNbf",
    "enforcesPolicies",
];

/// Stands in for a preset that is not known, while faults are collected.
const FALLBACK: Preset = Preset::Rfc9068;

/// The keys of `claims`: the preset, the rules, and every part of the claim map.
pub(in crate::configuration) fn claims_keys() -> Vec<&'static str> {
    let own = ["preset"].iter().chain(RULE_KEYS);
    own.chain(claims::PARTS).copied().collect()
}

/// Reads one issuer; its policies are compiled later, when settings and resource are known.
pub(in crate::configuration) fn read(node: Node<'_, '_>) -> Issuer {
    let mut object = node.object(KEYS);
    let issuer = object
        .require("issuer", "the `iss` of its tokens")
        .and_then(|mut node| node.parse(values::ISSUER, values::issuer_url))
        .unwrap_or_default();
    let has_tenants = issuer.contains(TENANT_PLACEHOLDER);
    let claims = Claims::read(&mut object, has_tenants);
    let rules = Rules::read(&mut object, has_tenants).or(claims.rules);
    let tenants = tenants(&mut object, &issuer, claims.preset);
    let defaults = claims.preset.unwrap_or(FALLBACK).issuer_at(&issuer);
    let (keys, jwks_uri) = keys(&mut object);
    Issuer {
        tenants,
        // What the preset implies is added when all issuers are known.
        issuer_aliases: rules.issuer_aliases.unwrap_or_default(),
        claims: claims.map,
        scope: rules.scope,
        types: rules.types.unwrap_or(defaults.types),
        algorithms: algorithms(&mut object, Algorithm::ALL, &defaults.algorithms),
        keys,
        jwks_uri,
        audiences: audiences(&mut object).unwrap_or_default(),
        dialect: object.choice("challenge", defaults.dialect),
        issue_time_backdated: rules
            .issue_time_backdated
            .unwrap_or(defaults.issue_time_backdated),
        honours_nbf: rules.honours_nbf.unwrap_or(defaults.honours_nbf),
        enforces_policies: rules
            .enforces_policies
            .unwrap_or(defaults.enforces_policies),
        email_is_stable: object.flag("emailIsStable", defaults.email_is_stable),
        aliases: aliases(&mut object),
        always_present: always_present(&mut object),
        acr_values: acr_values(&mut object),
        assurance_levels: assurance_levels(&mut object),
        ..defaults
    }
}

/// Audiences of the resource, or of one issuer.
pub(in crate::configuration) fn audiences(
    object: &mut ObjectReader<'_, '_>,
) -> Option<Vec<String>> {
    object
        .get("audiences")?
        .refuse_empty("list the `aud` values to accept");
    object.list("audiences", "an `aud` value", values::identifier)
}

/// `jwks`, `jwksUri` or both; without keys at hand the host fetches them when the first token arrives.
pub(in crate::configuration) fn keys(
    object: &mut ObjectReader<'_, '_>,
) -> (KeySet, Option<String>) {
    if !object.has("jwksUri") {
        object.require(
            "jwks",
            "the JWK Set of its keys, or `jwksUri` where it can be fetched",
        );
    }
    let keys = object.get("jwks").map_or_else(KeySet::default, |mut node| {
        let at = node.pointer().to_owned();
        KeySet::read(node.value(), &at, node.faults())
    });
    (
        keys,
        object.parse("jwksUri", values::FETCHED, values::fetched),
    )
}

/// `algorithms`, all of them among those that are `allowed`.
pub(in crate::configuration) fn algorithms(
    object: &mut ObjectReader<'_, '_>,
    allowed: &[Algorithm],
    default: &[Algorithm],
) -> Vec<Algorithm> {
    if let Some(mut node) = object.get("algorithms") {
        node.refuse_empty("list an algorithm or leave it out");
    }
    let names: Vec<_> = allowed.iter().map(|known| known.name()).collect();
    let expected = format!("one of {}", names.join(", "));
    let given = object.list("algorithms", &expected, |name| {
        Algorithm::from_name(name).filter(|known| allowed.contains(known))
    });
    given.unwrap_or_else(|| default.to_vec())
}

/// The tenants that `{tenantid}` stands for: the one needs the other. `preset` is `None` if it is not known.
fn tenants(object: &mut ObjectReader<'_, '_>, issuer: &str, preset: Option<Preset>) -> Vec<String> {
    let tenants = object.list("tenants", values::GUID, values::guid);
    let tenants = tenants.unwrap_or_default();
    let has_placeholder = issuer.contains(TENANT_PLACEHOLDER);
    if has_placeholder && tenants.is_empty() {
        let message = format!(
            "`issuer` holds `{TENANT_PLACEHOLDER}`; list the tenants that it may stand for"
        );
        object.fault("tenants", MISSING_MEMBER, message);
    } else if has_placeholder && preset.is_some_and(|preset| !preset.is_entra()) {
        // The scope of others is their URL, which all tenants would share.
        let message = "only the Entra presets tell tenants apart; configure one issuer for each";
        object.fault("tenants", BAD_VALUE, message);
    } else if !has_placeholder && object.has("tenants") {
        let message =
            format!("`issuer` holds no `{TENANT_PLACEHOLDER}`; put it there or remove `tenants`");
        object.fault("tenants", BAD_VALUE, message);
    }
    tenants
}

/// What `claims` says. Without a known preset the rest is still read, against the plainest one.
struct Claims {
    preset: Option<Preset>,
    map: ClaimMap,
    rules: Rules,
}

impl Claims {
    fn of(preset: Option<Preset>) -> Self {
        Self {
            preset,
            map: ClaimMap::preset(preset.unwrap_or(FALLBACK)),
            rules: Rules::default(),
        }
    }

    /// A preset name, or an object of a preset, claim names and rules.
    fn read(issuer: &mut ObjectReader<'_, '_>, has_tenants: bool) -> Self {
        let what = "a preset such as `entra-v2` or `rfc9068`";
        let on_issuer: Vec<_> = RULE_KEYS.iter().filter(|key| issuer.has(key)).collect();
        let Some(mut node) = issuer.require("claims", what) else {
            return Self::of(None);
        };
        if node.value().is_string() {
            return Self::of(node.choice());
        }
        let mut object = node.object(&claims_keys());
        let preset = object.require("preset", what);
        let mut claims = Self::of(preset.and_then(|mut node| node.choice()));
        for part in claims::PARTS {
            let expected = "the name of a claim, a JSON pointer into the claims, or empty for none";
            if let Some(claim) = object.parse(part, expected, claim_name) {
                claims.map.set(part, claim);
            }
        }
        for key in on_issuer {
            if object.has(key) {
                object.fault(
                    key,
                    DUPLICATE,
                    "is given on the issuer as well; remove one of the two",
                );
            }
        }
        claims.rules = Rules::read(&mut object, has_tenants);
        claims
    }
}

fn claim_name(text: &str) -> Option<&str> {
    (text.is_empty() || values::identifier(text).is_some()).then_some(text)
}

/// What a preset fixes and a configuration may change, on the issuer or in its `claims`.
#[derive(Default)]
struct Rules {
    issuer_aliases: Option<Vec<String>>,
    scope: Option<String>,
    types: Option<Vec<String>>,
    issue_time_backdated: Option<u64>,
    honours_nbf: Option<bool>,
    enforces_policies: Option<bool>,
}

impl Rules {
    fn read(object: &mut ObjectReader<'_, '_>, has_tenants: bool) -> Self {
        if object.has("scope") && has_tenants {
            // One scope for all would let an event of one tenant reach a user of another.
            let message =
                "an issuer of several tenants files each in a scope of its own; remove `scope`";
            object.fault("scope", BAD_VALUE, message);
        }
        Self {
            issuer_aliases: object.list(
                "issuerAliases",
                "another URL of the issuer",
                values::issuer,
            ),
            scope: object.parse(
                "scope",
                "a name without blanks around it",
                values::identifier,
            ),
            types: types(object),
            issue_time_backdated: object
                .get("issueTimeBackdated")
                .and_then(|mut node| node.integer(0..=3_600)),
            honours_nbf: object.get("honoursNbf").and_then(|mut node| node.flag()),
            enforces_policies: object
                .get("enforcesPolicies")
                .and_then(|mut node| node.flag()),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            issuer_aliases: self.issuer_aliases.or(other.issuer_aliases),
            scope: self.scope.or(other.scope),
            types: self.types.or(other.types),
            issue_time_backdated: self.issue_time_backdated.or(other.issue_time_backdated),
            honours_nbf: self.honours_nbf.or(other.honours_nbf),
            enforces_policies: self.enforces_policies.or(other.enforces_policies),
        }
    }
}

/// `typ`: media types without `application/`, in lower case; none that says the JWT is something else.
fn types(object: &mut ObjectReader<'_, '_>) -> Option<Vec<String>> {
    let mut node = object.get("typ")?;
    let types: Vec<_> = node.one_or_more(|mut node| {
        let expected = "a media type such as `at+jwt`, or empty for tokens without `typ`";
        let lower = node.parse(expected, media_type)?;
        let bare = lower.strip_prefix("application/").unwrap_or(&lower);
        if OTHER_KINDS.contains(&bare) {
            node.fault(
                NOT_ALLOWED,
                format!("`{bare}` is no access token; remove it"),
            );
        }
        Some(bare.to_owned())
    });
    node.refuse_empty("list a type or leave it out");
    Some(types)
}

fn media_type(text: &str) -> Option<String> {
    let sound = text.is_empty() || values::scope(text).is_some();
    sound.then(|| text.to_ascii_lowercase())
}

/// User identifier → addresses and numbers, in the form in which they are compared; one belongs to one user.
fn aliases(object: &mut ObjectReader<'_, '_>) -> BTreeMap<String, Vec<String>> {
    let Some(mut node) = object.get("aliases") else {
        return BTreeMap::new();
    };
    let mut owned = BTreeSet::new();
    let users = node.members(|user, mut node| {
        let aliases = node.one_or_more(|mut node| {
            let alias = node.parse(
                "an e-mail address, nor a phone number such as `+15551234567`",
                alias,
            )?;
            if !owned.insert(alias.clone()) {
                node.fault(DUPLICATE, "is listed before; an alias belongs to one user");
            }
            Some(alias)
        });
        Some((user.to_owned(), aliases))
    });
    users.into_iter().collect()
}

fn alias(text: &str) -> Option<String> {
    let is_phone_number = text.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let is_address = text
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    let plain = values::identifier(text)?;
    (is_phone_number || is_address).then(|| plain.to_lowercase())
}

fn always_present(object: &mut ObjectReader<'_, '_>) -> BTreeSet<String> {
    let expected = format!("a part of the claim map: {}", claims::PARTS.join(", "));
    let parts = object.list("alwaysPresent", &expected, |text| {
        claims::PARTS.contains(&text).then(|| text.to_owned())
    });
    parts.into_iter().flatten().collect()
}

/// Control → `acr`. The values go into challenge headers; ids compare without case.
fn acr_values(object: &mut ObjectReader<'_, '_>) -> BTreeMap<String, String> {
    let Some(mut node) = object.get("acrValues") else {
        return BTreeMap::new();
    };
    let values = node.members(|control, mut node| {
        let acr = node.parse("an `acr` value without blanks or quotes", values::scope)?;
        let control = match control.split_once(':') {
            Some((kind, id)) => format!("{kind}:{}", id.to_lowercase()),
            None => control.to_string(),
        };
        Some((control, acr))
    });
    values.into_iter().collect()
}

/// `acr` value → assurance level.
fn assurance_levels(object: &mut ObjectReader<'_, '_>) -> BTreeMap<String, String> {
    object
        .get("assuranceLevels")
        .map(|mut node| node.string_table())
        .unwrap_or_default()
}

impl Choice for Preset {
    const NAMES: &'static [(&'static str, Self)] = &[
        (Self::EntraV1.name(), Self::EntraV1),
        (Self::EntraV2.name(), Self::EntraV2),
        (Self::Keycloak.name(), Self::Keycloak),
        (Self::Okta.name(), Self::Okta),
        (Self::Google.name(), Self::Google),
        (Self::Rfc9068.name(), Self::Rfc9068),
    ];
}

impl Choice for Dialect {
    const NAMES: &'static [(&'static str, Self)] =
        &[("entra", Self::Entra), ("oauth", Self::OAuth)];
}
