//! Policies taken as if they were enabled: what a rollout would do before anyone switches it on.

use cae_core::json::Value;
use clap::ValueEnum;

use crate::what_if::Tenant;

/// Which policies that are not enabled count as if they were.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Assumed {
    /// Policies in report-only mode
    ReportOnly,
    /// Policies in report-only mode, and disabled ones: baselines are shipped so
    All,
}

impl Assumed {
    /// For people, in the middle of a sentence.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::ReportOnly => "policies in report-only mode count as enabled",
            Self::All => "disabled policies and those in report-only mode count as enabled",
        }
    }

    /// Changes the states in the files of a tenant. A file that is no JSON stays as it is: the engine says what is wrong.
    pub(super) fn apply(self, tenant: &mut Tenant) {
        for (_, text) in &mut tenant.files {
            let Ok(mut document) = serde_json::from_str::<Value>(text) else {
                continue;
            };
            let policies = match &mut document {
                Value::Object(members) if members.contains_key("value") => members.get_mut("value"),
                other => Some(other),
            };
            match policies {
                Some(Value::Array(policies)) => {
                    policies.iter_mut().for_each(|policy| self.enable(policy));
                }
                Some(policy) => self.enable(policy),
                None => {}
            }
            *text = document.to_string();
        }
    }

    fn enable(self, policy: &mut Value) {
        let Some(Value::String(state)) = policy.get_mut("state") else {
            return;
        };
        let report_only = state.eq_ignore_ascii_case("enabledForReportingButNotEnforced");
        let disabled = state.eq_ignore_ascii_case("disabled");
        if report_only || disabled && self == Self::All {
            "enabled".clone_into(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_change_and_nothing_else() {
        let states = |assumed: Assumed, text: &str| {
            let mut tenant = Tenant {
                files: vec![("p.json".to_owned(), text.to_owned())],
                ..Tenant::default()
            };
            assumed.apply(&mut tenant);
            tenant.files.remove(0).1
        };
        let list = r#"{"value":[{"state":"disabled"},{"state":"enabledForReportingButNotEnforced"},{"state":"odd"},7]}"#;
        assert_eq!(
            states(Assumed::All, list),
            r#"{"value":[{"state":"enabled"},{"state":"enabled"},{"state":"odd"},7]}"#
        );
        assert_eq!(
            states(Assumed::ReportOnly, list),
            r#"{"value":[{"state":"disabled"},{"state":"enabled"},{"state":"odd"},7]}"#
        );
        assert_eq!(
            states(Assumed::All, r#"{"state":"Disabled"}"#),
            r#"{"state":"enabled"}"#
        );
        assert_eq!(states(Assumed::All, "[{"), "[{");
    }
}
