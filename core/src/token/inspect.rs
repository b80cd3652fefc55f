//! A token laid open for people: what it says, what it yields, whether it would be accepted.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::Serialize;

use super::access_token::{AccessToken, Fact, Principal, SubjectKey, UserType};
use super::claims::Part;
use super::interpret::{Ages, Origin, groups_overage, interpret};
use super::jws::{CompactJws, JwsErrorKind};
use super::read::{KeyChoice, Refusal, origin_of, read_jws};
use crate::configuration::issuer::Preset;
use crate::configuration::{Configuration, Issuer};
use crate::decision::ReasonCode;
use crate::json::{self, Limits, Map, Value};
use crate::state::key::{NameSpace, StateKey, SubjectKind};
use crate::time::UnixTime;

/// Lays a token open, as canonical JSON. Its signature is not checked.
///
/// `status` is `acceptable`, `refused`, `notAJwt`, or `notChecked` without a configuration; the preset is then
/// guessed from the shape of the token.
#[must_use]
pub fn inspect(token: &str, configuration: Option<&Configuration>, now: UnixTime) -> String {
    let jws = match CompactJws::parse(token, Limits::TOKEN) {
        Ok(jws) => jws,
        Err(error) => {
            let status = status_of(&error.kind);
            return json::to_text(&Inspection::refused(status, &error.into()));
        }
    };
    let (header, claims) = (jws.header.members.clone(), jws.payload.clone());
    let known = configuration.and_then(|configuration| origin_of(&claims, configuration).ok());
    let preset = guessed_preset(&claims);
    let guess = preset.issuer_at(text(&claims, "iss").unwrap_or_default());
    let origin = known.unwrap_or(Origin {
        index: 0,
        issuer: &guess,
        tenant: text(&claims, "tid")
            .filter(|_| preset.is_entra())
            .map(str::to_ascii_lowercase),
    });
    let ages = configuration.map_or(DEFAULT_AGES, |known| Ages::from(&known.settings));
    let token = interpret(claims.clone(), &origin, ages);
    let mut key = None;
    let refusal = match configuration {
        None => token.as_ref().err().cloned(),
        Some(configuration) => read_jws(jws, configuration, now)
            .and_then(|reading| {
                key = Some(KeyLine::of(&reading.key));
                known_key(&reading.key, origin.issuer)
            })
            .err(),
    };

    let mut inspection = match (&refusal, configuration) {
        (Some(refusal), _) => Inspection::refused(Status::Refused, refusal),
        (None, Some(_)) => Inspection::of(Status::Acceptable),
        (None, None) => Inspection::of(Status::NotChecked),
    };
    inspection.key = key;
    inspection.preset = Some(origin.issuer.preset.name());
    if let Ok(token) = &token {
        inspection.token = Some(TokenFacts::of(token));
        inspection.summary = Some(Summary::of(token, origin.issuer));
        inspection.keys = token.keys.iter().map(KeyEntry::from).collect();
        inspection.warnings = warnings(token, origin.issuer);
    }
    inspection.header = Some(&header);
    inspection.claims = Some(&claims);
    json::to_text(&inspection)
}

/// A text that is a JWT, but not one that anybody should accept, is refused; anything else is no JWT.
const fn status_of(error: &JwsErrorKind) -> Status {
    match error {
        JwsErrorKind::Critical
        | JwsErrorKind::UnencodedPayload
        | JwsErrorKind::Compressed
        | JwsErrorKind::Nested
        | JwsErrorKind::Unsigned
        | JwsErrorKind::Member { .. } => Status::Refused,
        JwsErrorKind::TooLarge { .. }
        | JwsErrorKind::JsonSerialisation
        | JwsErrorKind::Encrypted
        | JwsErrorKind::Segments { .. }
        | JwsErrorKind::Base64(_)
        | JwsErrorKind::Json { .. }
        | JwsErrorKind::NotAnObject(_) => Status::NotAJwt,
    }
}

/// A configuration without keys leaves them to the host; one that has keys should have this one.
fn known_key(key: &KeyChoice<'_>, issuer: &Issuer) -> Result<(), Refusal> {
    match key {
        KeyChoice::Unknown { .. } if !issuer.keys.keys.is_empty() => Err(Refusal::new(
            ReasonCode::TokenKeyUnknown,
            "no configured key of the issuer fits".to_string(),
        )),
        KeyChoice::Unknown { .. } | KeyChoice::Found { .. } => Ok(()),
    }
}

/// Defaults of `enforcement.md` §8.
const DEFAULT_AGES: Ages = Ages {
    skew: 60,
    capable: 100_800,
    other: 86_400,
};

/// The preset that these claims look like.
fn guessed_preset(claims: &Value) -> Preset {
    let has = |name: &str| claims.get(name).is_some();
    let iss = text(claims, "iss").unwrap_or_default();
    match text(claims, "ver") {
        Some("1.0") if has("tid") => Preset::EntraV1,
        Some("2.0") if has("tid") => Preset::EntraV2,
        _ if has("azp") && iss.contains("/realms/") => Preset::Keycloak,
        _ if has("cid") && claims.get("scp").is_some_and(Value::is_array) => Preset::Okta,
        _ if iss.trim_end_matches('/') == "https://accounts.google.com" => Preset::Google,
        _ => Preset::Rfc9068,
    }
}

#[derive(Clone, Copy)]
enum Status {
    Acceptable,
    Refused,
    NotAJwt,
    NotChecked,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inspection<'a> {
    ok: bool,
    status: &'static str,
    verdict: Verdict,
    /// The host's part, which inspecting leaves out.
    signature: &'static str,
    key: Option<KeyLine>,
    /// The configured preset, else a guess.
    preset: Option<&'static str>,
    #[serde(flatten)]
    token: Option<TokenFacts<'a>>,
    summary: Option<Summary<'a>>,
    keys: Vec<KeyEntry>,
    warnings: Vec<Warning>,
    header: Option<&'a Map<String, Value>>,
    claims: Option<&'a Value>,
}

#[derive(Serialize)]
struct Verdict {
    /// `null` without a configuration.
    acceptable: Option<bool>,
    code: Option<&'static str>,
    detail: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyLine {
    known: bool,
    key_id: Option<String>,
}

impl KeyLine {
    fn of(key: &KeyChoice<'_>) -> Self {
        let key_id = match key {
            KeyChoice::Found { key } => Some(key.id().to_string()),
            KeyChoice::Unknown { .. } => None,
        };
        Self {
            known: key_id.is_some(),
            key_id,
        }
    }
}

impl Inspection<'_> {
    fn of(status: Status) -> Self {
        let (ok, name, acceptable) = match status {
            Status::Acceptable => (true, "acceptable", Some(true)),
            Status::Refused => (false, "refused", Some(false)),
            Status::NotAJwt => (false, "notAJwt", Some(false)),
            Status::NotChecked => (true, "notChecked", None),
        };
        Self {
            ok,
            status: name,
            verdict: Verdict {
                acceptable,
                code: None,
                detail: None,
            },
            signature: "notChecked",
            key: None,
            preset: None,
            token: None,
            summary: None,
            keys: Vec::new(),
            warnings: Vec::new(),
            header: None,
            claims: None,
        }
    }

    fn refused(status: Status, refusal: &Refusal) -> Self {
        let mut inspection = Self::of(status);
        inspection.verdict.code = Some(refusal.code.as_str());
        inspection.verdict.detail = Some(refusal.detail.clone());
        inspection
    }
}

/// What the engine decides by.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenFacts<'a> {
    issuer: &'a str,
    scope: &'a str,
    principal: &'static str,
    subject: Option<&'a str>,
    capable: bool,
    issued_at: u64,
    issued_earliest: u64,
    issued_latest: u64,
    not_before: Option<u64>,
    expires: u64,
    good_until: u64,
    scopes: &'a [String],
}

impl<'a> TokenFacts<'a> {
    fn of(token: &'a AccessToken) -> Self {
        Self {
            issuer: &token.issuer_url,
            scope: &token.scope,
            principal: match token.principal {
                Principal::User => "user",
                Principal::Application => "app",
            },
            subject: token.subject.as_deref(),
            capable: token.capable,
            issued_at: token.issued_at.as_secs(),
            issued_earliest: token.issued_earliest.as_secs(),
            issued_latest: token.issued_latest.as_secs(),
            not_before: token.not_before.map(UnixTime::as_secs),
            expires: token.expires.as_secs(),
            good_until: token.good_until.as_secs(),
            scopes: &token.scopes,
        }
    }
}

/// What the token says about the sign-in, in the words of no one product; `null` where it says nothing.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    version: Option<&'a str>,
    agent: bool,
    client_id: Option<&'a str>,
    client_authentication: Option<&'static str>,
    guest: Option<bool>,
    mfa: Option<bool>,
    device_id: Option<&'a str>,
    device_compliant: Option<bool>,
    authentication_contexts: Option<&'a [String]>,
    address: Option<&'a str>,
    groups_overage: bool,
    token_id: Option<&'a str>,
    lifetime_seconds: u64,
}

impl<'a> Summary<'a> {
    fn of(token: &'a AccessToken, issuer: &Issuer) -> Self {
        let claims = &token.claims;
        let part = |part| issuer.claims.value(part, claims).and_then(Value::as_str);
        let holds = |list: &Fact<Vec<String>>, values: &[&str]| {
            let known = list.known()?;
            Some(known.iter().any(|value| values.contains(&value.as_str())))
        };
        let facets = |name: &str, facet: &str| {
            text(claims, name).is_some_and(|facets| facets.split(' ').any(|found| found == facet))
        };
        Self {
            version: text(claims, "ver"),
            // Agent identity, and agent user as subject.
            agent: facets("xms_act_fct", "11") || facets("xms_sub_fct", "13"),
            client_id: token.client_application.as_deref(),
            client_authentication: match part(Part::ClientAuthentication) {
                Some("0") => Some("public"),
                Some("1") => Some("secret"),
                Some("2") => Some("certificate"),
                _ => None,
            },
            guest: token
                .user_type
                .known()
                .map(|user_type| *user_type == UserType::Guest),
            mfa: holds(&token.amr, &["mfa", "ngcmfa"]),
            device_id: token.device_id.as_deref(),
            device_compliant: holds(&token.signin_state, &["dvc_cmp"]),
            authentication_contexts: token.acrs.known().map(Vec::as_slice),
            address: part(Part::Address),
            groups_overage: groups_overage(claims, issuer.claims.name(Part::Groups)),
            token_id: token.token_id.as_deref(),
            lifetime_seconds: token.expires.since(token.issued_at).as_secs(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyEntry {
    kind: &'static str,
    name_space: &'static str,
    key: StateKey,
}

impl From<&SubjectKey> for KeyEntry {
    fn from(entry: &SubjectKey) -> Self {
        Self {
            kind: match entry.kind {
                SubjectKind::User => "user",
                SubjectKind::Session => "session",
                SubjectKind::Device => "device",
                SubjectKind::Token => "token",
                SubjectKind::ClientApplication => "clientApplication",
                SubjectKind::ServicePrincipal => "servicePrincipal",
                SubjectKind::Tenant => "tenant",
                SubjectKind::Group => "group",
                SubjectKind::OrganizationalUnit => "organizationalUnit",
            },
            name_space: match entry.name_space {
                NameSpace::Native => "native",
                NameSpace::Email => "email",
                NameSpace::PhoneNumber => "phoneNumber",
                NameSpace::Account => "account",
                NameSpace::Did => "did",
                NameSpace::Uri => "uri",
            },
            key: entry.key,
        }
    }
}

/// A claim that the API could ask its issuer for, and what enforcement loses without it.
#[derive(Serialize)]
struct Warning {
    /// Name of the claim, or of the part where the issuer has no claim for it.
    claim: String,
    message: &'static str,
}

/// Claims that the API could ask its issuer for, by what they are, and what enforcement loses without each.
pub const WANTED: &[(Part, &str)] = &[
    (
        Part::Capabilities,
        "the client does not say that it takes claims challenges: it gets plain refusals and shorter tokens",
    ),
    (
        Part::Acrs,
        "authentication contexts cannot be told: step-up cannot be shown by the token",
    ),
    (
        Part::Session,
        "events that name a session cannot be matched to the token",
    ),
    (
        Part::Address,
        "the address at issue is unknown: a split network path cannot be told from a stolen token",
    ),
    (
        Part::AuthTime,
        "the time of the sign-in is unknown: sign-in frequency cannot be judged",
    ),
    (
        Part::UserType,
        "member or guest is unknown: policies for guests are undetermined",
    ),
    (
        Part::Groups,
        "group membership is unknown: policies for groups are undetermined unless the host knows the groups",
    ),
];

fn warnings(token: &AccessToken, issuer: &Issuer) -> Vec<Warning> {
    let wanted = WANTED
        .iter()
        .filter(|(part, _)| token.principal == Principal::User || *part == Part::Capabilities);
    wanted
        .filter(|(part, _)| match part {
            Part::UserType => token.user_type == Fact::Unknown,
            Part::Groups => token.groups == Fact::Unknown,
            part => issuer.claims.value(*part, &token.claims).is_none(),
        })
        .map(|(part, message)| Warning {
            claim: issuer.claims.name(*part).unwrap_or(part.name()).to_string(),
            message,
        })
        .collect()
}

fn text<'a>(claims: &'a Value, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
