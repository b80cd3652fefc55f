//! From unverified text to an access token: every check but the signature, which is the host's.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::time::Duration;

use super::access_token::AccessToken;
use super::interpret::{Ages, Origin, interpret};
use super::issuer_match::issuer_of_token;
use super::jws::{CompactJws, JwsError, JwsErrorKind};
use super::keys::{Algorithm, Key, Selection};
use crate::configuration::issuer::Preset;
use crate::configuration::{Configuration, Issuer};
use crate::decision::ReasonCode;
use crate::json::Value;
use crate::time::UnixTime;

/// JWTs that are something else (RFC 8725 §3.11). They are refused whatever the issuer's `typ` list says.
pub(crate) const OTHER_KINDS: [&str; 6] = [
    "secevent+jwt",
    "logout+jwt",
    "dpop+jwt",
    "client-authentication+jwt",
    "oauth-authz-req+jwt",
    "token-introspection+jwt",
];

/// A token that is acceptable if its signature verifies with its key.
#[derive(Clone, Debug)]
pub struct Reading<'c> {
    /// The token.
    pub token: AccessToken,
    /// The key for its signature.
    pub key: KeyChoice<'c>,
    /// Its algorithm: allowed for the issuer, and the key's.
    pub algorithm: Algorithm,
    /// Length of the signing input in bytes: the text before the last dot.
    pub signing_input_len: usize,
}

/// Which key verifies the signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyChoice<'c> {
    /// This one.
    Found {
        /// The key.
        key: &'c Key,
    },
    /// None that is known; newer keys of the issuer may hold it.
    Unknown {
        /// `kid` as sent.
        kid: Option<String>,
    },
}

/// Why a token is not acceptable.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{detail} [{}]", .code.as_str())]
pub struct Refusal {
    /// The stable code.
    pub code: ReasonCode,
    /// One line for logs. Names claims and header members, never quotes the token.
    pub detail: String,
    /// When time alone makes the token acceptable, if it ever does.
    pub revisit_at: Option<UnixTime>,
}

impl Refusal {
    pub(super) const fn new(code: ReasonCode, detail: String) -> Self {
        Self {
            code,
            detail,
            revisit_at: None,
        }
    }
}

/// Reads a token that was presented at `now`.
///
/// In this order: form, kind, issuer, algorithm, audience, claims, times, key; the first that fails decides.
///
/// # Errors
/// [`Refusal`]: the token is not one for this resource, now.
pub fn read<'c>(
    token: &str,
    configuration: &'c Configuration,
    now: UnixTime,
) -> Result<Reading<'c>, Refusal> {
    let jws = CompactJws::parse(token, configuration.settings.token_limits)?;
    read_jws(jws, configuration, now)
}

/// The same for a token that is already parsed.
pub(super) fn read_jws<'c>(
    jws: CompactJws<'_>,
    configuration: &'c Configuration,
    now: UnixTime,
) -> Result<Reading<'c>, Refusal> {
    let media_type = jws.header.media_type().unwrap_or_default();
    if OTHER_KINDS.contains(&media_type.as_str()) {
        return Err(other_kind("`typ` names another kind of token"));
    }
    let origin = origin_of(&jws.payload, configuration)?;
    let issuer = origin.issuer;
    if !issuer.types.contains(&media_type) {
        return Err(other_kind("`typ` is not one of the issuer's access tokens"));
    }
    check_shape(&jws.payload, issuer)?;
    let algorithm = Algorithm::from_name(&jws.header.algorithm)
        .filter(|algorithm| issuer.algorithms.contains(algorithm))
        .ok_or_else(|| {
            refuse(
                ReasonCode::TokenAlgorithm,
                "`alg` is not allowed for this issuer",
            )
        })?;
    check_audience(&jws.payload, issuer)?;
    let ages = Ages::from(&configuration.settings);
    let signing_input_len = jws.signing_input.len();
    let token = interpret(jws.payload, &origin, ages)?;
    check_times(&token, now, Duration::from_secs(ages.skew))?;
    let key = choose_key(issuer, jws.header.key_id, algorithm, &token)?;
    Ok(Reading {
        token,
        key,
        algorithm,
        signing_input_len,
    })
}

/// The configured issuer of a token, and its tenant.
pub(super) fn origin_of<'c>(
    claims: &Value,
    configuration: &'c Configuration,
) -> Result<Origin<'c>, Refusal> {
    let iss = claims.get("iss").and_then(Value::as_str).ok_or_else(|| {
        refuse(
            ReasonCode::TokenClaims,
            "`iss` is missing or is not a string",
        )
    })?;
    let tid = claims.get("tid").and_then(Value::as_str);
    let (index, tenant) = issuer_of_token(configuration, iss, tid)
        .map_err(|error| Refusal::new(ReasonCode::TokenIssuer, error.to_string()))?;
    let issuer = configuration
        .issuers
        .get(index)
        .ok_or_else(|| refuse(ReasonCode::TokenIssuer, "`iss` is not a configured issuer"))?;
    Ok(Origin {
        index,
        issuer,
        tenant,
    })
}

/// Other kinds of JWT that the same issuer signs with the same key, told by their claims (RFC 8725 §3.12).
fn check_shape(claims: &Value, issuer: &Issuer) -> Result<(), Refusal> {
    let has = |name: &str| claims.get(name).is_some();
    if has("events") {
        return Err(other_kind("`events`: a security event token"));
    }
    if has("htm") || has("htu") {
        return Err(other_kind("`htm`: a DPoP proof"));
    }
    // Keycloak says in the payload what a token is for; older versions copy `nonce` into access tokens.
    let declared = (issuer.preset == Preset::Keycloak)
        .then(|| claims.get("typ"))
        .flatten();
    let bearer = match declared.map(Value::as_str) {
        None => false,
        Some(Some("Bearer" | "DPoP")) => true,
        Some(_) => return Err(other_kind("`typ` in the payload is not `Bearer`")),
    };
    // A JWT of Google's is an ID token by form; what it is good for is in `aud`.
    let id_token_hash = issuer.preset != Preset::Google && (has("at_hash") || has("c_hash"));
    if !bearer && (has("nonce") || id_token_hash) {
        return Err(other_kind("`nonce` or a token hash: an ID token"));
    }
    // An API that signs users in with its own registration is the audience of its ID tokens too; those name no
    // client.
    let client = super::claims::Part::Client;
    if issuer.preset.is_entra() && issuer.claims.value(client, claims).is_none() {
        return Err(other_kind("no client is named: an ID token"));
    }
    Ok(())
}

fn check_audience(claims: &Value, issuer: &Issuer) -> Result<(), Refusal> {
    let ours = |audience: &str| issuer.audiences.iter().any(|known| known == audience);
    let malformed = || {
        refuse(
            ReasonCode::TokenClaims,
            "`aud` is not a string or an array of strings",
        )
    };
    let named = match claims.get("aud") {
        Some(Value::String(one)) => ours(one),
        Some(Value::Array(several)) => {
            let mut named = false;
            for audience in several {
                named |= ours(audience.as_str().ok_or_else(malformed)?);
            }
            named
        }
        _ => return Err(malformed()),
    };
    match named {
        true => Ok(()),
        false => Err(refuse(
            ReasonCode::TokenAudience,
            "`aud` does not name this resource",
        )),
    }
}

fn check_times(token: &AccessToken, now: UnixTime, skew: Duration) -> Result<(), Refusal> {
    token.check_time(now, skew).map_err(|out| Refusal {
        revisit_at: out.good_from,
        ..Refusal::new(
            out.code,
            format!("{} {}, it is {}", out.what, out.at.as_secs(), now.as_secs()),
        )
    })
}

fn choose_key<'c>(
    issuer: &'c Issuer,
    kid: Option<String>,
    algorithm: Algorithm,
    token: &AccessToken,
) -> Result<KeyChoice<'c>, Refusal> {
    let (iss, tenant) = (token.issuer_url.as_str(), token.tenant.as_deref());
    match issuer.keys.select(kid.as_deref(), algorithm, iss, tenant) {
        Selection::Key(key) => Ok(KeyChoice::Found { key }),
        Selection::Unknown => Ok(KeyChoice::Unknown { kid }),
        Selection::WrongAlgorithm => Err(refuse(
            ReasonCode::TokenAlgorithm,
            "`alg` is not for the key that `kid` names",
        )),
        Selection::WrongIssuer => Err(refuse(
            ReasonCode::TokenIssuer,
            "the key that `kid` names belongs to another issuer",
        )),
        Selection::Ambiguous => Err(refuse(
            ReasonCode::TokenKeyUnknown,
            "`kid` is missing, and several keys fit",
        )),
    }
}

fn other_kind(detail: &str) -> Refusal {
    refuse(ReasonCode::TokenType, detail)
}

fn refuse(code: ReasonCode, detail: &str) -> Refusal {
    Refusal::new(code, detail.to_string())
}

impl From<JwsError> for Refusal {
    fn from(error: JwsError) -> Self {
        let code = match error.kind {
            JwsErrorKind::Critical | JwsErrorKind::UnencodedPayload => ReasonCode::TokenCritical,
            JwsErrorKind::Member { member: "alg", .. } => ReasonCode::TokenAlgorithm,
            JwsErrorKind::Member { member: "typ", .. } => ReasonCode::TokenType,
            _ => ReasonCode::TokenMalformed,
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests;
