//! What-if: many sign-ins against every policy of a tenant, in the contract of design §9 and with the semantics of
//! `policy-semantics.md`; and against two states of a tenant, to see whose access changes.

mod changes;
mod comparison;
mod conflicts;
pub(crate) mod coverage;
mod evaluation;
mod generate;
mod members;
mod pairing;
mod population;
pub mod report;
mod results;
mod sign_in;
mod sketch;
mod summary;
mod tenant;

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::json;
pub use changes::{ChangeGroup, Changes, Tally};
pub use comparison::Change;
use comparison::Comparison;
use evaluation::Evaluation;
pub use evaluation::SignInResult;
pub use generate::Representatives;
pub use pairing::{DocumentChange, DocumentPair};
use sign_in::SignIn;
pub use sketch::Sketch;
pub use summary::{FaultyLine, PolicySummary, Summary};
pub use tenant::Export;
use tenant::Tenant;

/// A tenant whose sign-ins are evaluated, alone or beside an earlier state of it.
///
/// ```
/// use cae_core::policy::what_if::{Export, WhatIf};
///
/// let policy = r#"{"id": "p", "displayName": "Second factor", "state": "enabled",
///     "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
///     "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}}"#;
/// let export = Export { policies: &[("policy.json", policy)], ..Export::default() };
/// let what_if = WhatIf::new(&export, None)?;
/// // One sign-in a line.
/// let sign_in = concat!(
///     r##"{"id": 1, "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": "adele"}, "##,
///     r##""signInContext": {"@odata.type": "#microsoft.graph.applicationContext"}}"##,
/// );
/// let batch = what_if.evaluate(sign_in.as_bytes(), 1, true);
/// assert!(batch.lines.starts_with(r#"{"id":1,"result":"challenge","unmet":["mfa"],"policies":[{"id":"p""#));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug)]
pub struct WhatIf {
    tenant: Tenant,
    before: Option<Comparison>,
}

/// What a batch of lines came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Canonical JSON: a line for each line of the batch that is not empty, of a comparison only for those whose
    /// access changes or that cannot be used. Empty if nobody asked for it.
    pub lines: String,
    /// What they come to together.
    pub counts: Counts,
}

/// What a number of sign-ins come to together. The counts of parts add up to those of the whole.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Counts {
    /// By result and by policy; of a comparison, of the later state.
    pub summary: Summary,
    /// Of a comparison, what changes.
    pub changes: Changes,
}

impl Counts {
    /// Adds the counts of the sign-ins that come next.
    pub fn merge(&mut self, other: &Self) {
        self.summary.merge(&other.summary);
        self.changes.merge(&other.changes);
    }
}

/// What there is to know about the policies besides what they come to.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// The policies, in the order of their documents.
    pub policies: Vec<PolicyName>,
    /// Of a comparison, every policy of both states.
    pub compared: Vec<DocumentPair>,
    /// Of a comparison, every named location of both states.
    pub named_locations: Vec<DocumentPair>,
}

/// One policy, by name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyName {
    /// Its id, if it has one.
    pub id: Option<String>,
    /// Its name.
    pub display_name: Option<String>,
    /// Graph's name of its state.
    pub state: String,
    /// Configured members and values that this engine does not understand, as dotted paths.
    pub not_understood: Vec<String>,
}

impl WhatIf {
    /// Compiles a tenant, and an earlier state of it if two are to be compared.
    ///
    /// # Errors
    /// A JSON list of every fault, each `{"file", "at", "code", "message"}`.
    pub fn new(export: &Export<'_>, before: Option<&Export<'_>>) -> Result<Self, String> {
        let (tenant, before) = (
            Tenant::compile(export),
            before.map(Tenant::compile).transpose(),
        );
        match (tenant, before) {
            (Ok(tenant), Ok(before)) => Ok(Self {
                before: before.map(|before| Comparison::new(before, &tenant)),
                tenant,
            }),
            (tenant, before) => {
                let faults = before.err().into_iter().chain(tenant.err());
                Err(json::to_text(&faults.flatten().collect::<Vec<_>>()))
            }
        }
    }

    /// The policies and, of a comparison, what became of each.
    #[must_use]
    pub fn describe(&self) -> Description {
        let policies = self.tenant.set.policies().iter().map(|policy| PolicyName {
            id: policy.id.clone(),
            display_name: policy.display_name.clone(),
            state: policy.state.as_str().into(),
            not_understood: policy.not_understood.clone(),
        });
        let compared = self.before.as_ref();
        Description {
            policies: policies.collect(),
            compared: compared.map_or_else(Vec::new, |compared| compared.policies.clone()),
            named_locations: compared
                .map_or_else(Vec::new, |compared| compared.named_locations.clone()),
        }
    }

    /// Sign-ins made from the policies themselves: everybody, everything and every place that they name, and one of
    /// each that they do not.
    #[must_use]
    pub fn representatives(&self) -> Representatives {
        let before = self.before.as_ref().map(|compared| &compared.before);
        let tenants: Vec<&Tenant> = before.into_iter().chain([&self.tenant]).collect();
        generate::representatives(&tenants)
    }

    /// Evaluates lines, of which the first has the number `first_line`, and writes what each came to if `write`.
    ///
    /// Total: a line that cannot be used is answered by `{"line", "error"}`.
    #[must_use]
    pub fn evaluate(&self, lines: &[u8], first_line: u64, write: bool) -> Batch {
        let mut batch = Batch::default();
        for sign_in in read_lines(lines, first_line) {
            match sign_in {
                Ok(sign_in) => self.evaluate_one(&sign_in, write, &mut batch),
                Err(fault) => {
                    batch.write(write, &fault);
                    batch.counts.summary.count_fault(fault);
                }
            }
        }
        batch
    }

    fn evaluate_one(&self, sign_in: &SignIn, write: bool, batch: &mut Batch) {
        let after = Evaluation::of(&self.tenant, sign_in);
        batch.counts.summary.count(&after);
        let Some(comparison) = &self.before else {
            if write {
                after.write(&self.tenant, sign_in, &mut batch.lines);
            }
            return;
        };
        let before = Evaluation::of(&comparison.before, sign_in);
        let both = [&before, &after];
        let difference = comparison.difference(&before, &after);
        if let Some((change, causes)) = &difference {
            batch.write(write, &comparison.line(sign_in, *change, causes, both));
        }
        batch.counts.changes.count(sign_in, both, difference);
    }
}

/// The sign-ins of lines that are not empty, of which the first has the number `first_line`.
fn read_lines(
    lines: &[u8],
    first_line: u64,
) -> impl Iterator<Item = Result<SignIn, FaultyLine>> + '_ {
    let numbers = (0..).map(move |offset| first_line.saturating_add(offset));
    let lines = numbers.zip(lines.split(|byte| *byte == b'\n'));
    lines.filter_map(|(number, line)| {
        let line = core::str::from_utf8(line).map_err(|error| {
            let at = error.valid_up_to();
            alloc::format!("byte {at} is not UTF-8: save the lines as UTF-8")
        });
        let line = line.map(|line| line.trim_start_matches('\u{FEFF}').trim());
        if line == Ok("") {
            return None;
        }
        let sign_in = line.and_then(SignIn::read);
        Some(sign_in.map_err(|error| FaultyLine {
            line: number,
            error,
        }))
    })
}

impl Batch {
    fn write(&mut self, write: bool, line: &impl Serialize) {
        if write {
            self.lines.push_str(&json::to_text(line));
            self.lines.push('\n');
        }
    }
}

#[cfg(test)]
mod tests;
