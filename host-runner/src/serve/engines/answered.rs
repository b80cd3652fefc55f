//! The last answer about a token: a decision depends on nothing but its arguments, so the same question is not asked
//! twice.
//!
//! A question is the same if the request says the same, no record has changed, and time alone cannot have changed the
//! answer (enforcement §7, `revisitAt`). Records are looked up and compared each time: an event counts at once.

use cae_core::decision::{DirectoryFacts, Outcome, RecordAnswer, Request};
use cae_core::engine::Verdict;
use cae_core::time::UnixTime;

/// A question about a token that was allowed, without anything to remember or to tell.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    client_ip: Option<Box<str>>,
    country: Option<Box<str>>,
    path: Option<Box<str>>,
    records: Box<[Option<Box<[u8]>>]>,
    from: UnixTime,
    verdict: Verdict,
}

impl Answered {
    /// Keeps an answer, if it is one that may be kept.
    pub(super) fn new(
        request: &Request<'_>,
        records: &[RecordAnswer<'_>],
        verdict: &Verdict,
    ) -> Option<Self> {
        let plain = verdict.outcome == Outcome::Allow
            && verdict.changes.is_empty()
            && verdict.reasons.is_empty()
            && verdict.json.is_none();
        if !plain || !says_little(request) {
            return None;
        }
        let record = |answer: &RecordAnswer<'_>| match *answer {
            RecordAnswer::Found(bytes) => Some(Some(bytes.into())),
            RecordAnswer::None => Some(None),
            RecordAnswer::Failed => None,
        };
        let records: Option<Box<[_]>> = records.iter().map(record).collect();
        Some(Self {
            client_ip: request.client_ip.map(Into::into),
            country: request.country.map(Into::into),
            path: request.path.map(Into::into),
            records: records?,
            from: request.now,
            verdict: verdict.clone(),
        })
    }

    /// The answer, if this is the same question.
    pub(super) fn again(
        &self,
        request: &Request<'_>,
        records: &[RecordAnswer<'_>],
    ) -> Option<Verdict> {
        let is_of_now = self.from <= request.now
            && self
                .verdict
                .revisit_at
                .is_some_and(|revisit| request.now < revisit);
        let is_same = is_of_now
            && says_little(request)
            && self.client_ip.as_deref() == request.client_ip
            && self.country.as_deref() == request.country
            && self.path.as_deref() == request.path
            && self.records.len() == records.len()
            && self
                .records
                .iter()
                .zip(records)
                .all(|(known, found)| match (known, *found) {
                    (Some(known), RecordAnswer::Found(found)) => **known == *found,
                    (None, RecordAnswer::None) => true,
                    _ => false,
                });
        is_same.then(|| self.verdict.clone())
    }
}

/// Whether nothing is said about the request but what is compared.
fn says_little(request: &Request<'_>) -> bool {
    request.scheme.is_none()
        && request.facts == DirectoryFacts::default()
        && request.signal_age.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Request<'_> = Request {
        now: UnixTime::from_secs(100),
        client_ip: Some("203.0.113.9"),
        country: Some("NL"),
        scheme: None,
        path: Some("/orders"),
        facts: NOTHING,
        signal_age: &[],
    };
    const NOTHING: DirectoryFacts<'_> = DirectoryFacts {
        member_of: None,
        roles: None,
        user_type: None,
        external_user_type: None,
        external_tenant: None,
        client_app_type: None,
        platform: None,
        device_compliant: None,
        device: None,
    };
    const RECORDS: [RecordAnswer<'_>; 2] = [RecordAnswer::None, RecordAnswer::Found(&[1, 2])];

    fn allowed() -> Verdict {
        Verdict {
            outcome: Outcome::Allow,
            status: 200,
            www_authenticate: None,
            reasons: Vec::new(),
            changes: Vec::new(),
            revisit_at: Some(UnixTime::from_secs(160)),
            may_reuse_without_events: 0,
            json: None,
        }
    }

    #[test]
    fn only_the_same_question_has_the_same_answer() {
        let answered = Answered::new(&ASKED, &RECORDS, &allowed()).unwrap();
        let at = |now| Request {
            now: UnixTime::from_secs(now),
            ..ASKED
        };
        assert_eq!(answered.again(&ASKED, &RECORDS), Some(allowed()));
        assert_eq!(answered.again(&at(159), &RECORDS), Some(allowed()));
        let others = [
            at(160),
            at(99),
            Request {
                client_ip: None,
                ..ASKED
            },
            Request {
                client_ip: Some("203.0.113.8"),
                ..ASKED
            },
            Request {
                country: Some("BE"),
                ..ASKED
            },
            Request {
                path: Some("/orders/1"),
                ..ASKED
            },
            Request {
                scheme: Some("DPoP"),
                ..ASKED
            },
            Request {
                signal_age: &[("https://ssf.example", 1)],
                ..ASKED
            },
            Request {
                facts: DirectoryFacts {
                    device_compliant: Some(true),
                    ..NOTHING
                },
                ..ASKED
            },
        ];
        for other in others {
            assert_eq!(answered.again(&other, &RECORDS), None, "{other:?}");
        }
        use RecordAnswer::{Failed, Found, None as Nothing};
        let records: [&[RecordAnswer<'_>]; 5] = [
            &[Nothing],
            &[Nothing, Nothing],
            &[Nothing, Failed],
            &[Nothing, Found(&[1, 3])],
            &[Found(&[]), Found(&[1, 2])],
        ];
        for other in records {
            assert_eq!(answered.again(&ASKED, other), None, "{other:?}");
        }
    }

    #[test]
    fn only_a_plain_allow_is_kept() {
        let kept = |request: &Request<'_>, verdict: &Verdict| {
            Answered::new(request, &RECORDS, verdict).is_some()
        };
        assert!(kept(&ASKED, &allowed()));
        let denied = Verdict {
            outcome: Outcome::Deny,
            status: 403,
            ..allowed()
        };
        let told = Verdict {
            reasons: vec!["reported".to_owned()],
            ..allowed()
        };
        let written = Verdict {
            json: Some("{}".to_owned()),
            ..allowed()
        };
        assert!(![denied, told, written].iter().any(|it| kept(&ASKED, it)));
        assert!(!kept(
            &Request {
                scheme: Some("DPoP"),
                ..ASKED
            },
            &allowed()
        ));
        let failed = [RecordAnswer::Failed];
        assert!(Answered::new(&ASKED, &failed, &allowed()).is_none());
        let endless = Verdict {
            revisit_at: None,
            ..allowed()
        };
        let endless = Answered::new(&ASKED, &RECORDS, &endless).unwrap();
        assert_eq!(endless.again(&ASKED, &RECORDS), None);
    }
}
