//! A decision with everything it rests on, and its canonical JSON.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use super::reason::Reason;
use crate::engine::{Change, Detail, Verdict};
use crate::json;
use crate::state::StateKey;
use crate::time::UnixTime;

/// What the resource server does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Serve the request.
    Allow,
    /// 401: a token issued later could pass; the header says what to ask for.
    Challenge,
    /// Refuse.
    Deny,
}

impl Outcome {
    /// The name of the outcome in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Challenge => "challenge",
            Self::Deny => "deny",
        }
    }
}

/// A decision with its reasons.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// What to do.
    pub outcome: Outcome,
    /// HTTP status: 200, 400, 401, 403 or 503.
    pub status: u16,
    /// Value of `WWW-Authenticate`, only when refusing.
    pub www_authenticate: Option<String>,
    /// Most decisive first, in an order that depends only on the inputs.
    pub reasons: Vec<Reason>,
    /// State to remember before the client is answered.
    pub changes: Vec<Change>,
    /// The first moment at which time alone can change the outcome; `None` if only a new fact can.
    pub revisit_at: Option<UnixTime>,
    /// For how many seconds a host may reuse the answer if no event arrives.
    pub may_reuse_without_events: u32,
    /// What explains the decision, if somebody asked for it.
    pub report: Option<Box<Report>>,
}

/// The part of an evaluation that is only gathered when somebody wants to read it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Policies that apply; all of them in an explanation.
    pub policies: Vec<PolicyOutcome>,
    /// Policies that could not be told and are not ignored.
    pub undetermined: Vec<UndeterminedPolicy>,
    /// Every check that was made.
    pub checks: Vec<CheckOutcome>,
    /// The state keys that the decision rests on.
    pub keys: Vec<StateKey>,
    /// Names of the session controls that the application has to honour.
    pub session_controls: Vec<String>,
}

/// What one policy came to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyOutcome {
    /// Id of the policy, or its position if it has none.
    pub id: String,
    /// Display name.
    pub display_name: Option<String>,
    /// `yes`, `no` or `undetermined`.
    pub applies: &'static str,
    /// The condition that rules it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis_reason: Option<&'static str>,
    /// What is unknown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// Controls that are not met, by Graph's name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<String>,
    /// Graph's name of the result (`conditional-access.md` §5.1), or `undetermined`.
    pub result: &'static str,
}

/// A policy that could not be told.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UndeterminedPolicy {
    /// Id of the policy, or its position if it has none.
    pub id: String,
    /// Display name.
    pub display_name: Option<String>,
    /// Conditions that are unknown, and members that are not understood.
    pub unknown: Vec<String>,
}

/// What one check came to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CheckOutcome {
    /// What was checked.
    pub check: &'static str,
    /// `passed`, `challenge`, `deny`, `reported` or `notApplicable`.
    pub result: &'static str,
    /// The facts it rests on, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    decision: &'static str,
    status: u16,
    www_authenticate: Option<&'a str>,
    reasons: Vec<ReasonAnswer<'a>>,
    policies: &'a [PolicyOutcome],
    undetermined: &'a [UndeterminedPolicy],
    revisit_at: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    session_controls: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<&'a [StateKey]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<&'a [CheckOutcome]>,
}

#[derive(Serialize)]
struct ReasonAnswer<'a> {
    code: &'static str,
    check: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
}

impl Evaluation {
    /// Nothing stands against the request.
    pub(super) const fn allow(revisit_at: Option<UnixTime>, report: Option<Box<Report>>) -> Self {
        Self {
            outcome: Outcome::Allow,
            status: 200,
            www_authenticate: None,
            reasons: Vec::new(),
            changes: Vec::new(),
            revisit_at,
            may_reuse_without_events: 0,
            report,
        }
    }

    /// The checks that were made, if they were asked for.
    pub(crate) fn checks(&self) -> &[CheckOutcome] {
        self.report.as_deref().map_or(&[], |report| &report.checks)
    }

    /// The canonical JSON of design §9, `cae decide`, without the host's `id`.
    #[must_use]
    pub fn to_json(&self, detail: Detail) -> String {
        let explain = detail == Detail::Explain;
        let nothing = Report::default();
        let report = self.report.as_deref().unwrap_or(&nothing);
        json::to_text(&Answer {
            decision: self.outcome.as_str(),
            status: self.status,
            www_authenticate: self.www_authenticate.as_deref(),
            reasons: self
                .reasons
                .iter()
                .map(|reason| ReasonAnswer {
                    code: reason.code.as_str(),
                    check: reason.code.check().as_str(),
                    policy: reason.policy.as_deref(),
                })
                .collect(),
            policies: &report.policies,
            undetermined: &report.undetermined,
            revisit_at: self.revisit_at.map(UnixTime::as_secs),
            session_controls: &report.session_controls,
            keys: explain.then_some(&report.keys),
            checks: explain.then_some(&report.checks),
        })
    }

    /// The typed answer that crosses the boundary of the engine.
    #[must_use]
    pub fn into_verdict(self, detail: Detail) -> Verdict {
        let json = (detail != Detail::None).then(|| self.to_json(detail));
        Verdict {
            outcome: self.outcome,
            status: self.status,
            www_authenticate: self.www_authenticate,
            reasons: self
                .reasons
                .iter()
                .map(|reason| String::from(reason.code.as_str()))
                .collect(),
            changes: self.changes,
            revisit_at: self.revisit_at,
            may_reuse_without_events: self.may_reuse_without_events,
            json,
        }
    }
}
