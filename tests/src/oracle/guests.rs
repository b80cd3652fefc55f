//! Guests and external users: row 14.

use serde_json::Value;

use super::reading::{
    entries, enumeration_fact, flags, has_only, holds, is_configured, match_ids, match_values, same,
};
use super::truth::Truth::{self, False, True, Unknown};

const INTERNAL_GUEST: &str = "internalGuest";
const EXTERNAL: [&str; 5] = [
    "b2bCollaborationGuest",
    "b2bCollaborationMember",
    "b2bDirectConnectUser",
    "otherExternalUser",
    "serviceProvider",
];
const GUESTS: [&str; 6] = [
    INTERNAL_GUEST,
    "b2bCollaborationGuest",
    "b2bCollaborationMember",
    "b2bDirectConnectUser",
    "otherExternalUser",
    "serviceProvider",
];
/// No value of Graph's enumeration: whoever is neither guest nor external.
const ORDINARY_MEMBER: &str = "ordinary member";

/// Row 9, one level further in.
pub(super) fn is_understood(users: &Value) -> bool {
    [
        "includeGuestsOrExternalUsers",
        "excludeGuestsOrExternalUsers",
    ]
    .iter()
    .all(|side| {
        has_only(
            &users[*side],
            &["guestOrExternalUserTypes", "externalTenants"],
        ) && has_only(
            &users[*side]["externalTenants"],
            &["membershipKind", "members"],
        )
    })
}

/// Row 14: keyword `GuestsOrExternalUsers` is any type but ordinary member.
pub(super) fn keyword(listed: &[String], sign_in: &Value) -> Truth {
    if !holds(listed, "GuestsOrExternalUsers") {
        return False;
    }
    Truth::unanimous(
        possible_types(sign_in)
            .iter()
            .map(|kind| Truth::of(*kind != ORDINARY_MEMBER)),
    )
}

/// Row 14: the type is listed and the tenant matches; an object without types is nobody.
pub(super) fn object(object: &Value, sign_in: &Value) -> Truth {
    let mut types = flags(&object["guestOrExternalUserTypes"]);
    types.retain(|kind| !same(kind, "none")); // row 8
    if types.is_empty() {
        return False;
    }
    let tenants = &object["externalTenants"];
    Truth::unanimous(
        possible_types(sign_in).iter().map(|kind| {
            match_values(&types, &GUESTS, Some(kind)).and(tenant(tenants, kind, sign_in))
        }),
    )
}

/// Row 14: which tenants. An internal guest is in no enumerated one, nor is an ordinary member (the reading of P4: for a
/// member a missing tenant is a fact).
fn tenant(tenants: &Value, kind: &str, sign_in: &Value) -> Truth {
    let membership = tenants["membershipKind"].as_str().unwrap_or_default();
    if !is_configured(tenants) || same(membership, "all") {
        return True;
    }
    if !same(membership, "enumerated") {
        return Unknown;
    }
    if kind == INTERNAL_GUEST || kind == ORDINARY_MEMBER {
        return False;
    }
    let fact = sign_in["signInIdentity"]["externalTenantId"]
        .as_str()
        .map(|id| vec![id.to_owned()]);
    match_ids(&entries(&tenants["members"]), fact.as_deref())
}

/// Row 14: what the user may be.
fn possible_types(sign_in: &Value) -> Vec<&'static str> {
    let identity = &sign_in["signInIdentity"];
    if let Some(given) = given_types(&identity["externalUserType"]) {
        return given;
    }
    let is_external = identity["externalTenantId"].is_string();
    match (
        enumeration_fact(&sign_in["userType"], &["member", "guest"]),
        is_external,
    ) {
        (Some("member"), false) => vec![ORDINARY_MEMBER],
        (Some("member"), true) => vec!["b2bCollaborationMember"],
        (Some(_guest), false) => vec![INTERNAL_GUEST, "b2bCollaborationGuest"],
        (Some(_guest), true) => vec!["b2bCollaborationGuest"],
        (None, true) => EXTERNAL.to_vec(),
        (None, false) => GUESTS.iter().copied().chain([ORDINARY_MEMBER]).collect(),
    }
}

/// Row 14: several in a flags string are one of them. Row 3: anything outside the enumeration is unknown.
fn given_types(fact: &Value) -> Option<Vec<&'static str>> {
    let types: Option<Vec<_>> = fact
        .as_str()?
        .split(',')
        .map(|kind| enumeration_fact(&Value::from(kind.trim()), &GUESTS))
        .collect();
    types.filter(|types| !types.is_empty())
}
