//! Continuous Access Evaluation Profile 1.0, and the names of its drafts.

use alloc::vec::Vec;

use super::{EventType, Meaning, Member, Shape, Vocabulary, told};
use crate::json::Value;
use crate::signal::event::{Credential, CredentialChange, Event};
use crate::signal::payload::{Payload, not};
use crate::signal::rejection::Rejection;
use crate::state::SubjectKind;
use crate::state::SubjectKind::{
    ClientApplication, Device, Group, OrganizationalUnit, Session, Tenant, Token, User,
};
use crate::state::claim::{ClaimName, ClaimValue};
use crate::state::record::{AssuranceLevel, DeviceCompliance, Record, RiskLevel};

pub(super) static TYPES: &[EventType] = &[
    EventType {
        uri: "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
        vocabulary: Vocabulary::Caep,
        name: "session-revoked",
        section: "3.1",
        legacy: false,
        about: &[Session, User, Device, ClientApplication, Token, Tenant],
        members: &[],
        effect: told(SESSION_REVOKED),
        example: told(
            r#"{"event_timestamp":1615304991,"initiating_entity":"admin","reason_admin":{"en":"Offboarding"}}"#,
        ),
        outcome: told("cut-off: sessionRevoked"),
        meaning: Meaning::Is(Event::SessionRevoked),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/caep/event-type/token-claims-change",
        vocabulary: Vocabulary::Caep,
        name: "token-claims-change",
        section: "3.2",
        legacy: false,
        about: &[User, Token, Session, ClientApplication, Device],
        members: &[Member::required("claims", Shape::Members)],
        effect: told(TOKEN_CLAIMS_CHANGE),
        example: told(r#"{"event_timestamp":1615304991,"claims":{"role":"ro-admin"}}"#),
        outcome: told("claims: role"),
        meaning: Meaning::One(token_claims_change),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/caep/event-type/credential-change",
        vocabulary: Vocabulary::Caep,
        name: "credential-change",
        section: "3.3",
        legacy: false,
        about: &[User],
        members: &[
            Member::required("credential_type", Shape::Open(CREDENTIAL_TYPES)),
            Member::required(
                "change_type",
                Shape::OneOf(&["create", "revoke", "update", "delete"]),
            ),
            Member::informational("friendly_name", Shape::Text),
            Member::informational("x509_issuer", Shape::Text),
            Member::informational("x509_serial", Shape::Text),
            Member::informational("fido2_aaguid", Shape::Text),
        ],
        effect: told(
            "Password or PIN, any change but `create`: tokens issued before it are refused. Another credential: \
                 `revoke` and `delete` by anybody but the user refuse them too; `create` by anybody but the user (or, \
                 with `mfaEnabledByUser`, by anybody) refuses those without evidence of multi-factor authentication. \
                 Nothing else: adding a passkey logs nobody out.",
        ),
        example: told(
            r#"{"credential_type":"password","change_type":"update","event_timestamp":1615304991}"#,
        ),
        outcome: told("cut-off: passwordChange"),
        meaning: Meaning::One(credential_change),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change",
        vocabulary: Vocabulary::Caep,
        name: "assurance-level-change",
        section: "3.4",
        legacy: false,
        about: &[User, Session],
        members: &[
            Member::described("namespace", Shape::Open(NAMESPACES)),
            Member::required("current_level", Shape::Text),
            Member::decisive("previous_level", Shape::Text),
            Member::decisive("change_direction", Shape::OneOf(&["increase", "decrease"])),
        ],
        effect: told(
            "A decrease (as `change_direction` says, else as the two levels tell): tokens issued before it are \
                 refused unless their `acr` stands, by the issuer's `assuranceLevels`, for a level that is known to be \
                 no higher than `current_level`. An increase has no effect.",
        ),
        example: told(
            r#"{"namespace":"NIST-AAL","current_level":"nist-aal1","previous_level":"nist-aal2","change_direction":"decrease","event_timestamp":1615304991}"#,
        ),
        outcome: told("assurance: nist-aal1"),
        meaning: Meaning::One(assurance_level_change),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/caep/event-type/device-compliance-change",
        vocabulary: Vocabulary::Caep,
        name: "device-compliance-change",
        section: "3.5",
        legacy: false,
        about: &[Device],
        members: &[
            Member::described("previous_status", Shape::OneOf(COMPLIANCE)),
            Member::required("current_status", Shape::OneOf(COMPLIANCE)),
        ],
        effect: told(
            "The status counts for policies that ask for a compliant device. `not-compliant` also refuses tokens \
                 with that device id that were issued before it.",
        ),
        example: told(
            r#"{"previous_status":"compliant","current_status":"not-compliant","event_timestamp":1615304991}"#,
        ),
        outcome: told("cut-off: deviceCompliance, compliance: notCompliant"),
        meaning: Meaning::One(device_compliance_change),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/caep/event-type/session-established",
        vocabulary: Vocabulary::Caep,
        name: "session-established",
        section: "3.6",
        legacy: false,
        about: &[User, Session],
        members: &[
            Member::informational("fp_ua", Shape::Text),
            Member::informational("acr", Shape::Text),
            Member::informational("amr", Shape::Texts),
            Member::informational("ext_id", Shape::Text),
        ],
        effect: told(NO_EFFECT),
        example: told(
            r#"{"fp_ua":"abb0b6e7da81","acr":"AAL2","amr":["otp"],"event_timestamp":1615304991}"#,
        ),
        outcome: told("none"),
        meaning: Meaning::Is(Event::Informational),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/caep/event-type/session-presented",
        vocabulary: Vocabulary::Caep,
        name: "session-presented",
        section: "3.7",
        legacy: false,
        about: &[User, Session],
        members: &[
            Member::informational("fp_ua", Shape::Text),
            Member::informational("ext_id", Shape::Text),
        ],
        effect: told(NO_EFFECT),
        example: told(r#"{"fp_ua":"abb0b6e7da81","ext_id":"12345","event_timestamp":1615304991}"#),
        outcome: told("none"),
        meaning: Meaning::Is(Event::Informational),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/caep/event-type/risk-level-change",
        vocabulary: Vocabulary::Caep,
        name: "risk-level-change",
        section: "3.8",
        legacy: false,
        about: &[User, Device, Session, ClientApplication, Tenant],
        members: &[
            Member::required("current_level", Shape::OneOf(LEVELS)),
            Member::required("principal", Shape::Open(PRINCIPALS)),
            Member::decisive("previous_level", Shape::OneOf(LEVELS)),
            Member::informational("risk_reason", Shape::Text),
        ],
        effect: told(RISK_LEVEL_CHANGE),
        example: told(
            r#"{"current_level":"HIGH","previous_level":"LOW","principal":"USER","risk_reason":"PASSWORD_FOUND_IN_DATA_BREACH","event_timestamp":1615304991}"#,
        ),
        outcome: told("cut-off: riskLevel, risk: high"),
        meaning: Meaning::One(risk_level_change),
    },
    // Names of drafts (`ssf.md` §9).
    EventType {
        uri: "https://schemas.openid.net/secevent/caep/event-type/session-revoked/v1",
        vocabulary: Vocabulary::Caep,
        name: "session-revoked/v1",
        section: "drafts",
        legacy: true,
        about: &[Session, User, Device, ClientApplication, Token, Tenant],
        members: &[],
        effect: told(SESSION_REVOKED),
        example: told(r#"{"event_timestamp":1615304991}"#),
        outcome: told("cut-off: sessionRevoked"),
        meaning: Meaning::Is(Event::SessionRevoked),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/caep/event-type/token-claims-changed",
        vocabulary: Vocabulary::Caep,
        name: "token-claims-changed",
        section: "drafts",
        legacy: true,
        about: &[User, Token, Session, ClientApplication, Device],
        members: &[Member::decisive("claims", Shape::Members)],
        effect: told(
            "As token-claims-change; without `claims`, tokens issued before it are refused.",
        ),
        example: told(r#"{"event_timestamp":1615304991,"claims":{"role":"ro-admin"}}"#),
        outcome: told("claims: role"),
        meaning: Meaning::One(token_claims_change),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/caep/event-type/stream-updated",
        vocabulary: Vocabulary::Caep,
        name: "stream-updated",
        section: "drafts",
        legacy: true,
        about: &[],
        members: super::ssf::STREAM_UPDATED,
        effect: told(super::ssf::ABOUT_THE_STREAM),
        example: told(r#"{"status":"paused","reason":"License is not valid"}"#),
        outcome: told("none"),
        meaning: Meaning::Is(Event::StreamUpdated),
    },
];

const SESSION_REVOKED: &str = "Tokens of the session, user, device or client that were issued before it are refused. One that the user caused \
     and that names the user alone is ignored with `sessionRevokedByUser: ignore`.";
const TOKEN_CLAIMS_CHANGE: &str = "Tokens issued before it are refused if they lack one of the claims, or show another value. More than 32 claims: \
     all tokens issued before it.";
pub(super) const NO_EFFECT: &str = "None on tokens.";
pub(super) const RISK_LEVEL_CHANGE: &str = "The level counts for policies that ask for user risk. At `criticalRiskLevel` or above it also refuses tokens of \
     the principal that were issued before it, unless `previous_level` was as high.";

/// SPEC: CAEP 1.0 §3.3; any other string may be agreed upon.
pub(super) const CREDENTIAL_TYPES: &[&str] = &[
    "password",
    "pin",
    "x509",
    "fido2-platform",
    "fido2-roaming",
    "fido-u2f",
    "verifiable-credential",
    "phone-voice",
    "phone-sms",
    "app",
];

/// SPEC: CAEP 1.0 §3.4; an alias may be agreed upon.
const NAMESPACES: &[&str] = &[
    "RFC8176",
    "RFC6711",
    "ISO-IEC-29115",
    "NIST-IAL",
    "NIST-AAL",
    "NIST-FAL",
];

const COMPLIANCE: &[&str] = &["compliant", "not-compliant"];

pub(super) const LEVELS: &[&str] = &["LOW", "MEDIUM", "HIGH"];

/// SPEC: CAEP 1.0 §3.8: "or another SSF principal". The last two are the ones left that tokens show.
const PRINCIPALS: &[&str] = &[
    "USER",
    "DEVICE",
    "SESSION",
    "TENANT",
    "ORG_UNIT",
    "GROUP",
    "APPLICATION",
    "SERVICE_PRINCIPAL",
];

fn token_claims_change(payload: &Payload<'_>) -> Result<Event, Rejection> {
    let claims = match payload.get("claims") {
        Some(Value::Object(claims)) if claims.len() <= Record::MOST_CLAIMS => claims,
        // Too many to remember, or the drafts' form: it is known only that something changed.
        _ => return Ok(Event::AccessChange),
    };
    let claims = claims.iter().map(|(name, value)| {
        let value = ClaimValue::of(name, value);
        Some((ClaimName::new(name).ok()?, value))
    });
    // A name that no token carries: as above.
    let claims: Option<Vec<_>> = claims.collect();
    Ok(claims.map_or(Event::AccessChange, Event::TokenClaimsChange))
}

fn credential_change(payload: &Payload<'_>) -> Result<Event, Rejection> {
    let change = payload.choice(
        "change_type",
        &[
            ("create", CredentialChange::Create),
            ("revoke", CredentialChange::Revoke),
            ("update", CredentialChange::Update),
            ("delete", CredentialChange::Delete),
        ],
    )?;
    let credential_type = payload.text("credential_type")?;
    let is_secret = ["password", "pin"]
        .iter()
        .any(|secret| secret.eq_ignore_ascii_case(credential_type));
    let credential = if is_secret {
        Credential::Secret
    } else {
        Credential::Factor
    };
    Ok(Event::CredentialChange { credential, change })
}

fn assurance_level_change(payload: &Payload<'_>) -> Result<Event, Rejection> {
    let current = payload.text("current_level")?;
    let level = AssuranceLevel::new(current).filter(|level| !level.as_str().is_empty());
    let level =
        level.ok_or_else(|| not("current_level", "the name of a level, of at most 128 bytes"))?;
    let stated = payload.optional_choice(
        "change_direction",
        &[("decrease", true), ("increase", false)],
    )?;
    let decreased = match (stated, payload.optional_text("previous_level")?) {
        (Some(stated), _) => stated,
        (None, Some(previous)) => AssuranceLevel::new(previous)
            .and_then(|previous| level.is_at_most(&previous).zip(previous.is_at_most(&level)))
            .is_some_and(|(lower, higher)| lower && !higher),
        (None, None) => false,
    };
    Ok(if decreased {
        Event::AssuranceDecrease(level)
    } else {
        Event::Informational
    })
}

fn risk_level_change(payload: &Payload<'_>) -> Result<Event, Rejection> {
    const KINDS: &[(&str, SubjectKind)] = &[
        ("USER", User),
        ("DEVICE", Device),
        ("SESSION", Session),
        ("TENANT", Tenant),
        ("ORG_UNIT", OrganizationalUnit),
        ("GROUP", Group),
        ("APPLICATION", ClientApplication),
        ("SERVICE_PRINCIPAL", ClientApplication),
    ];
    let principal = payload.text("principal")?;
    let mut kinds = KINDS.iter();
    let principal = kinds
        .find(|(name, _)| name.eq_ignore_ascii_case(principal))
        .map(|(_, kind)| *kind);
    risk_of(principal, payload)
}

/// A change of the risk of `principal`.
pub(super) fn risk_of(
    principal: Option<SubjectKind>,
    payload: &Payload<'_>,
) -> Result<Event, Rejection> {
    const VALUES: &[(&str, RiskLevel)] = &[
        ("LOW", RiskLevel::Low),
        ("MEDIUM", RiskLevel::Medium),
        ("HIGH", RiskLevel::High),
    ];
    Ok(Event::RiskLevelChange {
        principal,
        current: payload.choice("current_level", VALUES)?,
        previous: payload.optional_choice("previous_level", VALUES)?,
    })
}

fn device_compliance_change(payload: &Payload<'_>) -> Result<Event, Rejection> {
    let current = payload.choice(
        "current_status",
        &[
            ("compliant", DeviceCompliance::Compliant),
            ("not-compliant", DeviceCompliance::NotCompliant),
        ],
    )?;
    Ok(Event::DeviceComplianceChange { current })
}
