//! Security event tokens: read, checked, and turned into partial records that the host merges.
//!
//! A SET passes the checks of RFC 8935 §2 in a fixed order (form, type, issuer, key, signature, audience, claims,
//! subject), is understood by its vocabulary ([`event`]), comes to an effect by one table ([`effect`]) and is filed
//! under the keys of the identifiers that it names. Delivery, repeats (`jti`) and storage are the host's.

pub mod brake;
pub mod effect;
pub mod event;
#[cfg(feature = "descriptions")]
pub mod list;
#[cfg(feature = "descriptions")]
pub mod make;
pub mod rejection;
pub mod set;
pub mod vocabulary;

mod against;
mod answer;
mod explain;
mod filing;
mod interpret;
mod legacy;
mod logout;
mod notes;
mod payload;
mod rules;
mod time;
mod words;

use alloc::format;
use alloc::string::ToString as _;

use answer::{Checks, Explanation, NOT_CHECKED, VALID};
pub use explain::{decode, explain};
use filing::Directory;
use interpret::{Kind, interpret};
pub use rejection::{ErrorCode, Rejection};
use rules::Rules;

use crate::configuration::{Configuration, Transmitter};
use crate::engine::{
    AcceptedEvent, Change, EventReading, KeyNeed, RejectedEvent, SignatureAnswer, SignatureNeed,
};
use crate::json::{self, Limits, Value};
use crate::time::{EventTime, UnixTime};
use crate::token::jws::CompactJws;
use crate::token::keys::{Algorithm, Selection};

/// Reads a compact SET that was first received at `received_at`.
///
/// The first reading asks for a signature check or for the transmitter's keys; the host answers with `signature`.
/// A SET is rejected as a whole: nothing of it takes effect.
#[must_use]
pub fn read(
    set: &str,
    configuration: &Configuration,
    received_at: UnixTime,
    signature: SignatureAnswer,
) -> EventReading {
    match accept(set, configuration, received_at, signature) {
        Ok(reading) => reading,
        Err(rejection) => EventReading::Rejected(RejectedEvent {
            code: rejection.code.as_str(),
            json: answer::rejected(&rejection, Explanation::default()),
            description: rejection.description,
        }),
    }
}

/// `iat` of a SET, compact or the JSON of its payload: the time of reception where nobody wrote down another.
#[must_use]
pub fn issued_at(text: &str) -> Option<UnixTime> {
    let text = text.trim();
    let payload = if text.starts_with('{') {
        json::parse(text.as_bytes(), Limits::EVENT).ok()?
    } else {
        CompactJws::parse(text, Limits::EVENT).ok()?.payload
    };
    payload
        .get("iat")
        .and_then(time::instant)
        .map(EventTime::floor)
}

fn accept(
    set: &str,
    configuration: &Configuration,
    received_at: UnixTime,
    signature: SignatureAnswer,
) -> Result<EventReading, Rejection> {
    let (Signed { jws, kind, .. }, transmitter) = match authentic(set, configuration, signature)? {
        Authenticity::Asked(reading) => return Ok(reading),
        Authenticity::Shown(signed, transmitter) => (signed, transmitter),
    };
    set::check_audience(&jws.payload, &transmitter.audiences)?;
    let interpretation = interpret(
        kind,
        &jws.payload,
        Directory::Configured(configuration, transmitter),
        &Rules::of(configuration, transmitter),
        received_at,
    )?;
    let changes = interpretation.effects.iter().map(|(key, effect)| Change {
        key: *key,
        record: effect.record.to_bytes(),
    });
    Ok(EventReading::Accepted(AcceptedEvent {
        transmitter: transmitter.issuer.clone(),
        jti: interpretation.set.jti.to_string(),
        changes: changes.collect(),
        json: answer::valid(
            interpretation,
            &transmitter.issuer,
            Checks {
                signature: VALID,
                issuer: VALID,
                audience: audience_check(transmitter),
            },
            true,
            Explanation::default(),
        ),
    }))
}

/// Whether a compact SET is the transmitter's.
enum Authenticity<'c, 's> {
    /// The host has to find out first.
    Asked(EventReading),
    /// It is.
    Shown(Signed<'s>, &'c Transmitter),
}

fn authentic<'c, 's>(
    set: &'s str,
    configuration: &'c Configuration,
    signature: SignatureAnswer,
) -> Result<Authenticity<'c, 's>, Rejection> {
    let signed = signed(set, configuration.settings.event_limits)?;
    let Signed { jws, algorithm, .. } = &signed;
    let transmitter = transmitter_of(&jws.payload, configuration)?;
    if !transmitter.algorithms.contains(algorithm) {
        return Err(Rejection::invalid_request(
            "`alg` is not accepted from this transmitter",
        ));
    }
    let kid = jws.header.key_id.as_deref();
    let key = match transmitter
        .keys
        .select(kid, *algorithm, &transmitter.issuer, None)
    {
        Selection::Key(key) => key,
        Selection::Unknown if signature != SignatureAnswer::KeyUnknown => {
            return Ok(Authenticity::Asked(EventReading::NeedsKey(KeyNeed {
                issuer: transmitter.issuer.clone(),
                kid: jws.header.key_id.clone(),
            })));
        }
        Selection::Unknown => return Err(invalid_key("is not known")),
        Selection::WrongAlgorithm => return Err(invalid_key("is not for this `alg`")),
        Selection::WrongIssuer => return Err(invalid_key("is not for this issuer")),
        Selection::Ambiguous => return Err(invalid_key("is not named by `kid`")),
    };
    match signature {
        SignatureAnswer::Valid => {}
        SignatureAnswer::Invalid => {
            return Err(Rejection::new(
                ErrorCode::AuthenticationFailed,
                "the signature does not verify",
            ));
        }
        SignatureAnswer::NotChecked | SignatureAnswer::KeyUnknown => {
            return Ok(Authenticity::Asked(EventReading::NeedsSignature(
                SignatureNeed {
                    key_id: key.id().to_string(),
                    key: key.jwk().to_string(),
                    algorithm: algorithm.name(),
                    signing_input: jws.signing_input.len(),
                },
            )));
        }
    }
    Ok(Authenticity::Shown(signed, transmitter))
}

/// A compact SET or logout token.
struct Signed<'a> {
    jws: CompactJws<'a>,
    algorithm: Algorithm,
    kind: Kind,
}

/// Form, type and algorithm name: what can be said before anybody is asked.
fn signed(set: &str, limits: Limits) -> Result<Signed<'_>, Rejection> {
    let jws = CompactJws::parse(set, limits)
        .map_err(|error| Rejection::invalid_request(error.to_string()))?;
    let kind = match jws.header.media_type().as_deref() {
        // SPEC: SSF 1.0 §4.1.1: explicit typing, so that no other JWT of the issuer is ever taken for a SET.
        Some("secevent+jwt") => Kind::SecurityEvent,
        Some("logout+jwt") => Kind::Logout,
        // SPEC: OpenID Connect Back-Channel Logout 1.0 §2.4: the explicit type is only recommended.
        Some("jwt") if logout::is_logout(&jws.payload) => Kind::Logout,
        _ => {
            return Err(Rejection::invalid_request(
                "`typ` is neither `secevent+jwt` nor that of a logout token",
            ));
        }
    };
    let algorithm = Algorithm::from_name(&jws.header.algorithm)
        .ok_or_else(|| Rejection::invalid_request("`alg` is not a known signature algorithm"))?;
    Ok(Signed {
        jws,
        algorithm,
        kind,
    })
}

fn transmitter_of<'a>(
    payload: &Value,
    configuration: &'a Configuration,
) -> Result<&'a Transmitter, Rejection> {
    let issuer = set::issuer(payload)?;
    let mut transmitters = configuration.transmitters.iter();
    transmitters
        .find(|transmitter| transmitter.issuer == issuer)
        .ok_or_else(|| {
            Rejection::new(
                ErrorCode::InvalidIssuer,
                "`iss` is not a configured transmitter",
            )
        })
}

const fn audience_check(transmitter: &Transmitter) -> &'static str {
    if transmitter.audiences.is_empty() {
        NOT_CHECKED
    } else {
        VALID
    }
}

fn invalid_key(fault: &str) -> Rejection {
    Rejection::new(ErrorCode::InvalidKey, format!("the signing key {fault}"))
}

#[cfg(test)]
mod tests;
