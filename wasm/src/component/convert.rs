//! Between the types that `wit/cae.wit` generates and those of `cae_core::engine`, which it mirrors one to one.

use std::net::IpAddr;

use cae_core::decision::{Answers, DirectoryFacts, Outcome, RecordAnswer, Request};
use cae_core::engine;
use cae_core::state::StateKey;
use cae_core::time::UnixTime;

use super::conversation as wit;
use crate::convert::texts;

/// Lends a request to the engine.
pub(super) fn with_request<R>(request: &wit::Request, use_it: impl FnOnce(&Request<'_>) -> R) -> R {
    let plain = Request {
        now: UnixTime::from_secs(request.now),
        client_ip: request.client_ip.as_deref(),
        country: request.country.as_deref(),
        path: request.path.as_deref(),
        ..Request::default()
    };
    let Some(more) = &request.more else {
        return use_it(&plain);
    };
    let facts = &more.facts;
    let member_of = facts.member_of.as_deref().map(texts);
    let roles = facts.roles.as_deref().map(texts);
    let signal_age: Vec<(&str, u64)> = more
        .signal_age
        .iter()
        .map(|(issuer, seconds)| (issuer.as_str(), *seconds))
        .collect();
    use_it(&Request {
        scheme: more.scheme.as_deref(),
        facts: DirectoryFacts {
            member_of: member_of.as_deref(),
            roles: roles.as_deref(),
            user_type: facts.user_type.as_deref(),
            external_user_type: facts.external_user_type.as_deref(),
            external_tenant: facts.external_tenant.as_deref(),
            client_app_type: facts.client_app_type.as_deref(),
            platform: facts.platform.as_deref(),
            device_compliant: facts.device_compliant,
            device: facts.device.as_deref(),
        },
        signal_age: &signal_age,
        ..plain
    })
}

/// Lends the host's answers to the engine.
pub(super) fn with_answers<R>(
    answers: &wit::Answers,
    use_them: impl FnOnce(&Answers<'_>) -> R,
) -> R {
    let records: Vec<RecordAnswer<'_>> = answers
        .records
        .iter()
        .map(|answer| match answer {
            wit::RecordAnswer::Found(bytes) => RecordAnswer::Found(bytes),
            wit::RecordAnswer::None => RecordAnswer::None,
            wit::RecordAnswer::Failed => RecordAnswer::Failed,
        })
        .collect();
    use_them(&Answers {
        signature: answers.signature,
        confirmed: answers.confirmed.as_deref(),
        records: &records,
    })
}

/// Lends a plain request, the address in it and the records to the engine.
pub(super) fn with_plain<R>(
    request: &wit::PlainRequest,
    records: &[u8],
    use_it: impl FnOnce(&Request<'_>, Option<IpAddr>, &Answers<'_>) -> R,
) -> R {
    let plain = Request {
        now: UnixTime::from_secs(request.now),
        country: request.country.as_deref(),
        path: request.path.as_deref(),
        ..Request::default()
    };
    let address = request.client_ip.map(|address| match address {
        wit::IpAddress::V4(bits) => IpAddr::from(bits.to_be_bytes()),
        wit::IpAddress::V6((high, low)) => {
            IpAddr::from(((u128::from(high) << 64) | u128::from(low)).to_be_bytes())
        }
    });
    let mut table = [RecordAnswer::None; MOST_RECORDS];
    // A list that is not as it should be has no answer in it.
    let records = lend_records(records, &mut table).unwrap_or(&[RecordAnswer::Failed]);
    let answers = Answers {
        records,
        ..Answers::default()
    };
    use_it(&plain, address, &answers)
}

/// Most records of `decide-known`.
const MOST_RECORDS: usize = 16;

/// The records one after another, each behind its length in four bytes.
fn lend_records<'a, 't>(
    mut bytes: &'a [u8],
    table: &'t mut [RecordAnswer<'a>],
) -> Option<&'t [RecordAnswer<'a>]> {
    let mut count = 0_usize;
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (record, rest) = rest.split_at_checked(length)?;
        if length > 0 {
            *table.get_mut(count)? = RecordAnswer::Found(record);
        }
        count = count.checked_add(1)?;
        bytes = rest;
    }
    table.get(..count).filter(|_| bytes.is_empty())
}

impl From<wit::Detail> for engine::Detail {
    fn from(detail: wit::Detail) -> Self {
        match detail {
            wit::Detail::None => Self::None,
            wit::Detail::Decision => Self::Decision,
            wit::Detail::Explain => Self::Explain,
        }
    }
}

impl From<wit::SignatureAnswer> for engine::SignatureAnswer {
    fn from(answer: wit::SignatureAnswer) -> Self {
        match answer {
            wit::SignatureAnswer::NotChecked => Self::NotChecked,
            wit::SignatureAnswer::Valid => Self::Valid,
            wit::SignatureAnswer::Invalid => Self::Invalid,
            wit::SignatureAnswer::KeyUnknown => Self::KeyUnknown,
        }
    }
}

impl From<engine::Begun> for wit::Begun {
    fn from(begun: engine::Begun) -> Self {
        match begun {
            engine::Begun::Needs { handle, needs } => Self::Needs(wit::BegunToken {
                handle: handle.0,
                needs: needs.into(),
            }),
            engine::Begun::Refused(verdict) => Self::Refused(verdict.into()),
        }
    }
}

impl From<engine::Needs> for wit::Needs {
    fn from(needs: engine::Needs) -> Self {
        Self {
            signature: needs.signature.map(Into::into),
            key: needs.key.map(Into::into),
            proof: needs.proof.map(|proof| wit::ProofNeed {
                method: proof.method.to_owned(),
                thumbprint: proof.thumbprint,
            }),
            records: needs.records.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<engine::SignatureNeed> for wit::SignatureNeed {
    fn from(need: engine::SignatureNeed) -> Self {
        Self {
            key_id: need.key_id,
            key: need.key,
            algorithm: need.algorithm.to_owned(),
            // Tokens are bounded far below what 32 bits hold.
            signing_input: u32::try_from(need.signing_input).unwrap_or(u32::MAX),
        }
    }
}

impl From<engine::KeyNeed> for wit::KeyNeed {
    fn from(need: engine::KeyNeed) -> Self {
        Self {
            issuer: need.issuer,
            kid: need.kid,
        }
    }
}

impl From<StateKey> for wit::StateKey {
    fn from(key: StateKey) -> Self {
        let [high, low] = halves(key.to_bytes());
        Self { high, low }
    }
}

/// The two big-endian halves of 128 bits.
fn halves(bytes: [u8; 16]) -> [u64; 2] {
    let (high, low) = bytes.split_at(8);
    [high, low].map(|half| {
        half.iter()
            .fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
    })
}

impl From<engine::Decided> for wit::Decided {
    fn from(decided: engine::Decided) -> Self {
        match decided {
            engine::Decided::Verdict(verdict) => Self::Verdict(verdict.into()),
            engine::Decided::Stale => Self::Stale,
        }
    }
}

impl From<engine::Verdict> for wit::Verdict {
    fn from(verdict: engine::Verdict) -> Self {
        Self {
            outcome: match verdict.outcome {
                Outcome::Allow => wit::Outcome::Allow,
                Outcome::Challenge => wit::Outcome::Challenge,
                Outcome::Deny => wit::Outcome::Deny,
            },
            status: verdict.status,
            www_authenticate: verdict.www_authenticate,
            reasons: verdict.reasons,
            changes: changes(verdict.changes),
            revisit_at: verdict.revisit_at.map(UnixTime::as_secs),
            may_reuse_without_events: verdict.may_reuse_without_events,
            json: verdict.json,
        }
    }
}

impl From<engine::Verdict> for wit::Allowed {
    fn from(verdict: engine::Verdict) -> Self {
        Self {
            revisit_at: verdict.revisit_at.map(UnixTime::as_secs),
            may_reuse_without_events: verdict.may_reuse_without_events,
        }
    }
}

fn changes(changes: Vec<engine::Change>) -> Vec<wit::Change> {
    changes
        .into_iter()
        .map(|change| wit::Change {
            key: change.key.into(),
            record: change.record,
        })
        .collect()
}

impl From<engine::EventReading> for wit::EventReading {
    fn from(reading: engine::EventReading) -> Self {
        match reading {
            engine::EventReading::NeedsSignature(need) => Self::NeedsSignature(need.into()),
            engine::EventReading::NeedsKey(need) => Self::NeedsKey(need.into()),
            engine::EventReading::Accepted(event) => Self::Accepted(wit::AcceptedEvent {
                transmitter: event.transmitter,
                jti: event.jti,
                changes: changes(event.changes),
                json: event.json,
            }),
            engine::EventReading::Rejected(event) => Self::Rejected(wit::RejectedEvent {
                code: event.code.to_owned(),
                description: event.description,
                json: event.json,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_stand_behind_their_lengths() {
        let read = |bytes: &[u8]| {
            let mut table = [RecordAnswer::None; 2];
            lend_records(bytes, &mut table).map(|records| {
                records
                    .iter()
                    .map(|record| match record {
                        RecordAnswer::Found(bytes) => bytes.to_vec(),
                        _ => Vec::new(),
                    })
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(read(&[]), Some(Vec::new()));
        assert_eq!(
            read(&[0, 0, 0, 0, 2, 0, 0, 0, 7, 8]),
            Some(vec![vec![], vec![7, 8]])
        );
        // Cut off in the record or in the length, and more than the table holds.
        assert_eq!(read(&[2, 0, 0, 0, 7]), None);
        assert_eq!(read(&[0, 0, 0, 0, 0]), None);
        assert_eq!(read(&[0xff; 8]), None);
        assert_eq!(read(&[0; 12]), None);
        assert_eq!(read(&[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 7]), None);
    }

    #[test]
    fn a_state_key_keeps_its_bytes() {
        let bytes: [u8; 16] = core::array::from_fn(|at| u8::try_from(at).unwrap() + 1);
        let key = wit::StateKey::from(StateKey::from_bytes(bytes));
        assert_eq!(
            (key.high, key.low),
            (0x0102_0304_0506_0708, 0x090a_0b0c_0d0e_0f10)
        );
    }
}
