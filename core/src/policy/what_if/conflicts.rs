//! Enabled policies that stand in each other's way.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use super::coverage::{PolicyReach, Reach, name};
use super::pairing::said;
use super::population::conditions;
use super::tenant::Tenant;
use crate::json::{Map, Value};
use crate::policy::compile::CompiledPolicy;
use crate::policy::logic::Truth;

/// Two policies of which one makes the other pointless, or contradicts it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Conflict {
    kind: Kind,
    /// The names of both.
    policies: [String; 2],
    /// What it comes to, for people.
    what: String,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    /// One turns continuous access evaluation off, the other tightens it, for the same sign-ins.
    ContinuousAccessEvaluation,
    /// One keeps browser sessions, the other ends them.
    PersistentBrowser,
    /// One blocks wherever the other asks for something.
    BlockOverrules,
    /// Both say the same.
    Duplicate,
}

/// One policy with all that is asked about it.
#[derive(Clone, Copy)]
struct Own<'a> {
    policy: &'a CompiledPolicy,
    document: &'a Map<String, Value>,
    reach: &'a PolicyReach,
}

/// Every conflict between two enabled policies.
pub(super) fn find(tenant: &Tenant, reach: &Reach) -> Vec<Conflict> {
    let policies = tenant
        .set
        .policies()
        .iter()
        .zip(&tenant.documents)
        .zip(&reach.0);
    let enabled: Vec<Own<'_>> = policies
        .filter(|(_, reach)| reach.enabled)
        .map(|((policy, document), reach)| Own {
            policy,
            document,
            reach,
        })
        .collect();
    let mut conflicts = Vec::new();
    for (position, first) in enabled.iter().enumerate() {
        for second in enabled.iter().skip(position.saturating_add(1)) {
            conflicts.extend(between(*first, *second));
        }
    }
    conflicts
}

fn between(first: Own<'_>, second: Own<'_>) -> Vec<Conflict> {
    let conflict = |kind, [one, other]: [Own<'_>; 2], what: String| Conflict {
        kind,
        policies: [name(one.policy), name(other.policy)],
        what,
    };
    let both = [first, second];
    if first.overlaps(second) {
        let mut found = Vec::new();
        for (kind, control, odd) in [
            (
                Kind::ContinuousAccessEvaluation,
                "continuousAccessEvaluation",
                Some("disabled"),
            ),
            (Kind::PersistentBrowser, "persistentBrowser", None),
        ] {
            if let (Some(one), Some(other)) = (first.mode(control), second.mode(control)) {
                let differ = !one.eq_ignore_ascii_case(other);
                let odd = odd.is_none_or(|odd| {
                    one.eq_ignore_ascii_case(odd) || other.eq_ignore_ascii_case(odd)
                });
                if differ && odd {
                    let what =
                        format!("for the same sign-ins `{control}` is `{one}` and `{other}`");
                    found.push(conflict(kind, both, what));
                }
            }
        }
        for [block, other] in [both, [second, first]] {
            if block.policy.grant.blocks() && !other.policy.grant.blocks() && other.is_within(block)
            {
                let what = format!(
                    "wherever `{}` applies, `{}` blocks: what it asks for never matters",
                    name(other.policy),
                    name(block.policy)
                );
                found.push(conflict(Kind::BlockOverrules, [block, other], what));
            }
        }
        if first.says() == second.says() {
            let what = "both hold the same conditions and controls".into();
            found.push(conflict(Kind::Duplicate, both, what));
        }
        return found;
    }
    Vec::new()
}

impl Own<'_> {
    /// Whether some sign-in may be subject to both.
    fn overlaps(self, other: Self) -> bool {
        let meet = |own: &[Truth], other: &[Truth]| {
            own.iter()
                .zip(other)
                .any(|(own, other)| *own != Truth::False && *other != Truth::False)
        };
        meet(&self.reach.people, &other.reach.people)
            && meet(&self.reach.targets, &other.reach.targets)
            && meet(&self.reach.places, &other.reach.places)
    }

    /// Whether the other certainly applies wherever this one may.
    fn is_within(self, other: Self) -> bool {
        let within = |own: &[Truth], other: &[Truth]| {
            own.iter()
                .zip(other)
                .all(|(own, other)| *own == Truth::False || *other == Truth::True)
        };
        let condition = |own: Self, name: &str| {
            said(conditions(own.document).and_then(|conditions| conditions.get(name)))
        };
        within(&self.reach.people, &other.reach.people)
            && within(&self.reach.targets, &other.reach.targets)
            && within(&self.reach.places, &other.reach.places)
            && conditions(other.document).is_some_and(|conditions| {
                conditions
                    .keys()
                    .filter(|name| {
                        !matches!(
                            name.as_str(),
                            "users" | "clientApplications" | "applications" | "locations"
                        )
                    })
                    .all(|name| {
                        let theirs = condition(other, name);
                        theirs.is_none()
                            || is_all(theirs.as_ref())
                            || theirs == condition(self, name)
                    })
            })
    }

    fn mode(self, control: &str) -> Option<&'static str> {
        let session = self.document.get("sessionControls")?.get(control)?;
        if session.get("isEnabled") == Some(&Value::Bool(false)) {
            return None;
        }
        session
            .get("mode")
            .and_then(Value::as_str)
            .and_then(|mode| {
                [
                    "disabled",
                    "strictLocation",
                    "strictEnforcement",
                    "always",
                    "never",
                ]
                .into_iter()
                .find(|known| known.eq_ignore_ascii_case(mode))
            })
    }

    /// Conditions and controls, without names and dates.
    fn says(self) -> [Option<Value>; 3] {
        ["conditions", "grantControls", "sessionControls"].map(|name| said(self.document.get(name)))
    }
}

/// `["all"]`: no restriction.
fn is_all(value: Option<&Value>) -> bool {
    let list = value.and_then(Value::as_array);
    list.is_some_and(|list| {
        list.iter().any(|entry| {
            entry
                .as_str()
                .is_some_and(|text| text.eq_ignore_ascii_case("all"))
        })
    })
}
