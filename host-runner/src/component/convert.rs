//! Between the types of the engine and those of the WIT.

use std::net::IpAddr;

use cae_core::decision::{Answers, DirectoryFacts, Outcome, RecordAnswer, Request};
use cae_core::engine::{
    AcceptedEvent, Begun, Change, Decided, Detail, EventReading, Handle, KeyNeed, Needs, ProofNeed,
    RejectedEvent, SignatureAnswer, SignatureNeed, Verdict,
};
use cae_core::policy::address::parse_address;
use cae_core::state::StateKey;
use cae_core::time::UnixTime;

use super::EngineError;
use super::bindings::exports::cae::engine::conversation as wit;

/// The records of [`Answers`], in the form that [`answers`] borrows.
pub(super) fn records<'a>(records: &[RecordAnswer<'a>]) -> Vec<wit::RecordAnswer<'a>> {
    let record = |answer: &RecordAnswer<'a>| match *answer {
        RecordAnswer::Found(bytes) => wit::RecordAnswer::Found(bytes),
        RecordAnswer::None => wit::RecordAnswer::None,
        RecordAnswer::Failed => wit::RecordAnswer::Failed,
    };
    records.iter().map(record).collect()
}

pub(super) fn answers<'a>(
    answers: &Answers<'a>,
    records: &'a [wit::RecordAnswer<'a>],
) -> wit::Answers<'a> {
    wit::Answers {
        signature: answers.signature,
        confirmed: answers.confirmed,
        records,
    }
}

pub(super) fn request<'a>(request: &Request<'a>) -> wit::Request<'a> {
    wit::Request {
        now: request.now.as_secs(),
        client_ip: request.client_ip,
        country: request.country,
        path: request.path,
        more: more(request),
    }
}

fn more<'a>(request: &Request<'a>) -> Option<wit::MoreAboutRequest<'a>> {
    let facts = &request.facts;
    if request.scheme.is_none()
        && *facts == DirectoryFacts::default()
        && request.signal_age.is_empty()
    {
        return None;
    }
    Some(wit::MoreAboutRequest {
        scheme: request.scheme,
        facts: wit::DirectoryFacts {
            member_of: facts.member_of,
            roles: facts.roles,
            user_type: facts.user_type,
            external_user_type: facts.external_user_type,
            external_tenant: facts.external_tenant,
            client_app_type: facts.client_app_type,
            platform: facts.platform,
            device_compliant: facts.device_compliant,
            device: facts.device,
        },
        signal_age: request.signal_age,
    })
}

/// The request and the records as `decide-known` takes them, if it can: what few requests need goes through `decide`.
/// `records` is written over.
pub(super) fn plain<'a>(
    request: &Request<'a>,
    answers: &Answers<'_>,
    detail: Detail,
    records: &mut Vec<u8>,
) -> Option<wit::PlainRequest<'a>> {
    let Answers {
        signature: None,
        confirmed: None,
        records: found,
    } = *answers
    else {
        return None;
    };
    if detail != Detail::None || found.len() > MOST_RECORDS || more(request).is_some() {
        return None;
    }
    records.clear();
    for answer in found {
        let record: &[u8] = match *answer {
            RecordAnswer::Failed | RecordAnswer::Found([]) => return None,
            RecordAnswer::None => &[],
            RecordAnswer::Found(record) => record,
        };
        records.extend_from_slice(&u32::try_from(record.len()).ok()?.to_le_bytes());
        records.extend_from_slice(record);
    }
    Some(wit::PlainRequest {
        now: request.now.as_secs(),
        client_ip: match request.client_ip {
            Some(text) => Some(ip_address(parse_address(text)?)),
            None => None,
        },
        country: request.country,
        path: request.path,
    })
}

/// Most records of `decide-known`.
const MOST_RECORDS: usize = 16;

fn ip_address(address: IpAddr) -> wit::IpAddress {
    match address {
        IpAddr::V4(address) => wit::IpAddress::V4(address.to_bits()),
        IpAddr::V6(address) => {
            let [high, low] = halves(address.to_bits());
            wit::IpAddress::V6((high, low))
        }
    }
}

/// The two big-endian halves of 128 bits.
fn halves(bits: u128) -> [u64; 2] {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bits.to_be_bytes();
    [[a, b, c, d, e, f, g, h], rest].map(u64::from_be_bytes)
}

pub(super) const fn detail(detail: Detail) -> wit::Detail {
    match detail {
        Detail::None => wit::Detail::None,
        Detail::Decision => wit::Detail::Decision,
        Detail::Explain => wit::Detail::Explain,
    }
}

pub(super) const fn signature_answer(answer: SignatureAnswer) -> wit::SignatureAnswer {
    match answer {
        SignatureAnswer::NotChecked => wit::SignatureAnswer::NotChecked,
        SignatureAnswer::Valid => wit::SignatureAnswer::Valid,
        SignatureAnswer::Invalid => wit::SignatureAnswer::Invalid,
        SignatureAnswer::KeyUnknown => wit::SignatureAnswer::KeyUnknown,
    }
}

/// `mask` hides the handle from other instances (see `WasmEngine`).
pub(super) fn begun(begun: wit::Begun, mask: u64) -> Result<Begun, EngineError> {
    Ok(match begun {
        wit::Begun::Needs(token) => Begun::Needs {
            handle: Handle(token.handle ^ mask),
            needs: needs(token.needs)?,
        },
        wit::Begun::Refused(refused) => Begun::Refused(verdict(refused)),
    })
}

pub(super) fn decided(decided: wit::Decided) -> Decided {
    match decided {
        wit::Decided::Verdict(decision) => Decided::Verdict(verdict(decision)),
        wit::Decided::Stale => Decided::Stale,
    }
}

pub(super) fn allowed(allowed: wit::Allowed) -> Decided {
    Decided::Verdict(Verdict {
        outcome: Outcome::Allow,
        status: 200,
        www_authenticate: None,
        reasons: Vec::new(),
        changes: Vec::new(),
        revisit_at: allowed.revisit_at.map(UnixTime::from_secs),
        may_reuse_without_events: allowed.may_reuse_without_events,
        json: None,
    })
}

pub(super) fn event_reading(reading: wit::EventReading) -> Result<EventReading, EngineError> {
    Ok(match reading {
        wit::EventReading::NeedsSignature(need) => {
            EventReading::NeedsSignature(signature_need(need)?)
        }
        wit::EventReading::NeedsKey(need) => EventReading::NeedsKey(key_need(need)),
        wit::EventReading::Accepted(event) => EventReading::Accepted(AcceptedEvent {
            transmitter: event.transmitter,
            jti: event.jti,
            changes: event.changes.into_iter().map(change).collect(),
            json: event.json,
        }),
        wit::EventReading::Rejected(event) => EventReading::Rejected(RejectedEvent {
            code: one_of(&REJECTIONS, &event.code)?,
            description: event.description,
            json: event.json,
        }),
    })
}

fn needs(needs: wit::Needs) -> Result<Needs, EngineError> {
    Ok(Needs {
        signature: needs.signature.map(signature_need).transpose()?,
        key: needs.key.map(key_need),
        proof: needs.proof.map(proof_need).transpose()?,
        records: needs.records.into_iter().map(state_key).collect(),
    })
}

fn signature_need(need: wit::SignatureNeed) -> Result<SignatureNeed, EngineError> {
    Ok(SignatureNeed {
        key_id: need.key_id,
        key: need.key,
        algorithm: one_of(&ALGORITHMS, &need.algorithm)?,
        signing_input: usize::try_from(need.signing_input).unwrap_or(usize::MAX),
    })
}

fn key_need(need: wit::KeyNeed) -> KeyNeed {
    KeyNeed {
        issuer: need.issuer,
        kid: need.kid,
    }
}

fn proof_need(need: wit::ProofNeed) -> Result<ProofNeed, EngineError> {
    Ok(ProofNeed {
        method: one_of(&PROOFS, &need.method)?,
        thumbprint: need.thumbprint,
    })
}

pub(super) fn verdict(verdict: wit::Verdict) -> Verdict {
    Verdict {
        outcome: match verdict.outcome {
            wit::Outcome::Allow => Outcome::Allow,
            wit::Outcome::Challenge => Outcome::Challenge,
            wit::Outcome::Deny => Outcome::Deny,
        },
        status: verdict.status,
        www_authenticate: verdict.www_authenticate,
        reasons: verdict.reasons,
        changes: verdict.changes.into_iter().map(change).collect(),
        revisit_at: verdict.revisit_at.map(UnixTime::from_secs),
        may_reuse_without_events: verdict.may_reuse_without_events,
        json: verdict.json,
    }
}

fn change(change: wit::Change) -> Change {
    Change {
        key: state_key(change.key),
        record: change.record,
    }
}

fn state_key(key: wit::StateKey) -> StateKey {
    StateKey::from_bytes(((u128::from(key.high) << 64) | u128::from(key.low)).to_be_bytes())
}

/// JWS algorithms (RFC 7518 §3.1, RFC 8037, RFC 9864).
const ALGORITHMS: [&str; 14] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519", "HS256", "HS384", "HS512",
];

/// Methods of proof that the engine asks for.
const PROOFS: [&str; 3] = ["jkt", "x5t#S256", "unknown"];

/// RFC 8935 §2.4 and SSF 1.0 §11.
const REJECTIONS: [&str; 7] = [
    "invalid_request",
    "invalid_key",
    "invalid_issuer",
    "invalid_audience",
    "authentication_failed",
    "access_denied",
    "invalid_state",
];

fn one_of(known: &[&'static str], name: &str) -> Result<&'static str, EngineError> {
    known
        .iter()
        .find(|known| **known == name)
        .copied()
        .ok_or_else(|| EngineError::Answer(format!("`{}`", name.escape_debug())))
}
