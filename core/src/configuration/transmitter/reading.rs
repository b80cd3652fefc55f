//! `transmitters` of an engine configuration.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Brake, SessionRevokedByUser, Transmitter};

use crate::configuration::issuer::{Issuer, reading as issuer};
use crate::configuration::read::{
    BAD_VALUE, Choice, DUPLICATE, NOT_FOUND, Node, ObjectReader, quoted,
};
use crate::configuration::{Fault, values};
use crate::state::record::TransmitterId;
use crate::token::keys::Algorithm;

/// The keys of one of `transmitters`.
pub(in crate::configuration) const KEYS: &[&str] = &[
    "issuer",
    "audience",
    "algorithms",
    "jwks",
    "jwksUri",
    "speaksFor",
    "actsForIssuer",
    "opaqueScope",
    "legacy",
    "sessionRevokedByUser",
    "mfaEnabledByUser",
    "unseenMember",
    "standingStateMaxAgeSeconds",
    "criticalSubjectMembers",
    "brake",
];

/// The keys of a transmitter's `brake`.
pub(in crate::configuration) const BRAKE_KEYS: &[&str] = &["subjectsPerMinute", "hold"];

/// What transmitters sign with. The CAEP interoperability profile names RS256 alone; the others are what products
/// offer beside it.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::Rs256,
    Algorithm::Ps256,
    Algorithm::Es256,
    Algorithm::EdDsa,
];

const DAY: u64 = 86_400;

/// Reads one transmitter that may speak for some of `issuers`.
pub(in crate::configuration) fn read(node: Node<'_, '_>, issuers: &[Issuer]) -> Transmitter {
    let mut object = node.object(KEYS);
    let url = object
        .require("issuer", "the `iss` of its events")
        .and_then(|mut node| node.parse(values::ISSUER, values::issuer_url))
        .unwrap_or_default();
    let (keys, jwks_uri) = issuer::keys(&mut object);
    let speaks_for = speaks_for(&mut object, issuers);
    Transmitter {
        id: TransmitterId::of(&url),
        audiences: audiences(&mut object),
        algorithms: issuer::algorithms(&mut object, &asymmetric(), ALGORITHMS),
        keys,
        jwks_uri,
        acts_for_issuer: object.get("actsForIssuer").and_then(|mut node| node.flag()),
        opaque_scope: opaque_scope(&mut object, &speaks_for, issuers),
        legacy: object.flag("legacy", false),
        session_revoked_by_user: object
            .choice("sessionRevokedByUser", SessionRevokedByUser::default()),
        mfa_enabled_by_user: object.flag("mfaEnabledByUser", false),
        unseen_member: object
            .get("unseenMember")
            .and_then(|mut node| node.choice()),
        standing_state_max_age: object.integer(
            "standingStateMaxAgeSeconds",
            DAY..=3_650 * DAY,
            90 * DAY,
        ),
        critical_subject_members: object
            .list(
                "criticalSubjectMembers",
                "the name of a member",
                values::identifier,
            )
            .unwrap_or_default(),
        brake: brake(&mut object),
        issuer: url,
        speaks_for,
    }
}

/// One `aud`, or several where an issuer sends logout tokens to a client and security events to a stream.
fn audiences(object: &mut ObjectReader<'_, '_>) -> Vec<String> {
    let Some(mut node) = object.get("audience") else {
        return Vec::new();
    };
    let audiences =
        node.one_or_more(|mut node| node.parse("the `aud` of its events", values::identifier));
    node.refuse_empty("name an audience or leave it out");
    audiences
}

/// What a transmitter may sign with: with HMAC, whoever can verify could also sign.
fn asymmetric() -> Vec<Algorithm> {
    let is_hmac = |algorithm: &Algorithm| algorithm.name().starts_with("HS");
    Algorithm::ALL
        .iter()
        .filter(|known| !is_hmac(known))
        .copied()
        .collect()
}

/// Indexes of the issuers that `speaksFor` names.
fn speaks_for(object: &mut ObjectReader<'_, '_>, issuers: &[Issuer]) -> Vec<usize> {
    let what = "the URLs of the configured issuers whose subjects it may name";
    let Some(mut node) = object.require("speaksFor", what) else {
        return Vec::new();
    };
    node.refuse_empty(&format!("list {what}"));
    let named = node.elements(|mut node| {
        let name = node.string()?;
        let found = issuers.iter().position(|issuer| issuer.is_called(name));
        if found.is_none() {
            let message = format!(
                "no issuer is called {}; write the `issuer` of one, or an alias, as configured",
                quoted(name)
            );
            node.fault(NOT_FOUND, message);
        }
        found
    });
    // An issuer may be named by its URL and by an alias.
    named
        .into_iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// `opaque` identifiers must be filed among subjects that the transmitter may speak for.
fn opaque_scope(
    object: &mut ObjectReader<'_, '_>,
    speaks_for: &[usize],
    issuers: &[Issuer],
) -> Option<String> {
    let mut node = object.get("opaqueScope")?;
    let scope = node.string()?;
    let mut spoken_for = speaks_for.iter().filter_map(|index| issuers.get(*index));
    if spoken_for.any(|issuer| issuer.may_have_scope(scope)) {
        return Some(scope.to_owned());
    }
    let message = format!(
        "{} is the scope of no issuer in `speaksFor`; write its tenant id (Entra), its URL, or its own `scope`",
        quoted(scope)
    );
    node.fault(BAD_VALUE, message);
    None
}

fn brake(object: &mut ObjectReader<'_, '_>) -> Option<Brake> {
    let mut brake = object.get("brake")?.object(BRAKE_KEYS);
    let what = "the number of subjects above which to raise an alarm";
    let subjects_per_minute = brake
        .require("subjectsPerMinute", what)
        .and_then(|mut node| node.integer(1..=1_000_000));
    let hold = brake.flag("hold", false);
    Some(Brake {
        subjects_per_minute: subjects_per_minute?,
        hold,
    })
}

/// Two transmitters of one `iss` could not be told apart.
pub(in crate::configuration) fn check_distinct(
    transmitters: &[Transmitter],
    at: &str,
    faults: &mut Vec<Fault>,
) {
    let mut seen = BTreeSet::new();
    for (index, transmitter) in transmitters.iter().enumerate() {
        if !transmitter.issuer.is_empty() && !seen.insert(&transmitter.issuer) {
            faults.push(Fault {
                at: format!("{at}/{index}/issuer"),
                code: DUPLICATE,
                message: format!(
                    "{} is a transmitter before; merge the two",
                    quoted(&transmitter.issuer)
                ),
            });
        }
    }
}

impl Choice for SessionRevokedByUser {
    const NAMES: &'static [(&'static str, Self)] =
        &[("ignore", Self::Ignore), ("revoke", Self::Revoke)];
}
