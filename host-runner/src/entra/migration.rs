//! The legacy setting of continuous access evaluation, as the Conditional Access policy that it becomes.
//!
//! SPEC: <https://learn.microsoft.com/entra/identity/conditional-access/concept-continuous-access-evaluation>, "Migration",
//! and <https://learn.microsoft.com/graph/api/resources/continuousaccessevaluationpolicy>.

use cae_core::json::Value;
use serde_json::json;

use crate::text::member;

/// Where Graph shows it, in its beta version.
pub(crate) const LEGACY: &str = "/identity/continuousAccessEvaluationPolicy";

/// What becomes of the setting.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Migration {
    /// Nothing has to be done, and why.
    Nothing(&'static str),
    /// This policy has to be made.
    Policy(Value),
}

impl Migration {
    /// What becomes of a setting; `None` is a tenant without one.
    ///
    /// # Errors
    /// It is not what Graph shows.
    pub(crate) fn of(setting: Option<&Value>) -> Result<Self, String> {
        let Some(setting) = setting else {
            return Ok(Self::Nothing(
                "the setting was never configured: continuous access evaluation is on by itself",
            ));
        };
        let Some(is_enabled) = member(setting, "isEnabled").as_bool() else {
            return Err(
                "no `continuousAccessEvaluationPolicy` as Graph shows it: `isEnabled` is missing"
                    .to_owned(),
            );
        };
        // SPEC: the page of the resource: the settings were migrated to Conditional Access.
        if member(setting, "migrate").as_bool() == Some(true) {
            return Ok(Self::Nothing(
                "the setting was migrated already: the policy that it became is among those of Conditional Access",
            ));
        }
        let ids = |name: &str| -> Result<Vec<&str>, String> {
            let list = match setting.get(name) {
                None | Some(Value::Null) => return Ok(Vec::new()),
                Some(Value::Array(list)) => list,
                Some(_) => return Err(format!("`{name}` is no list of ids")),
            };
            let ids: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            ids.ok_or_else(|| format!("`{name}` is no list of ids"))
        };
        let (users, groups) = (ids("users")?, ids("groups")?);
        Ok(match (is_enabled, users.is_empty() && groups.is_empty()) {
            (true, true) => Self::Nothing(
                "the setting is enabled for everybody: continuous access evaluation is on by itself",
            ),
            (true, false) => Self::Policy(policy(&users, &groups)),
            // Disabled is disabled for everybody, whoever was listed.
            (false, _) => Self::Policy(policy(&[], &[])),
        })
    }
}

/// Switched off for everybody but these. That works for all resources and without conditions only.
fn policy(users: &[&str], groups: &[&str]) -> Value {
    json!({
        "displayName": "Continuous access evaluation: migrated setting",
        "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": {"includeApplications": ["All"]},
            "users": {"includeUsers": ["All"], "excludeUsers": users, "excludeGroups": groups},
        },
        "sessionControls": {"continuousAccessEvaluation": {"mode": "disabled"}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(setting: &Value) -> Migration {
        Migration::of(Some(setting)).unwrap()
    }

    #[test]
    fn the_four_rows_of_the_table() {
        assert!(matches!(Migration::of(None), Ok(Migration::Nothing(_))));
        let all = json!({"isEnabled": true, "users": [], "groups": [], "migrate": false});
        assert!(matches!(of(&all), Migration::Nothing(_)));
        let migrated = json!({"isEnabled": false, "users": ["u"], "groups": [], "migrate": true});
        assert!(matches!(of(&migrated), Migration::Nothing(why) if why.contains("already")));
        let some = of(&json!({"isEnabled": true, "users": ["u"], "groups": ["g"]}));
        let Migration::Policy(policy) = some else {
            panic!("{some:?}");
        };
        let users = &policy["conditions"]["users"];
        assert_eq!(users["includeUsers"], json!(["All"]));
        assert_eq!(
            (&users["excludeUsers"], &users["excludeGroups"]),
            (&json!(["u"]), &json!(["g"]))
        );
        let none = of(&json!({"isEnabled": false, "users": ["u"], "groups": []}));
        let Migration::Policy(policy) = none else {
            panic!("{none:?}");
        };
        assert_eq!(policy["conditions"]["users"]["excludeUsers"], json!([]));
        assert_eq!(
            policy["sessionControls"]["continuousAccessEvaluation"]["mode"],
            "disabled"
        );
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for bad in [
            json!({}),
            json!([]),
            json!({"isEnabled": "true"}),
            json!({"isEnabled": true, "users": "u"}),
            json!({"isEnabled": true, "groups": [7]}),
        ] {
            assert!(Migration::of(Some(&bad)).is_err(), "{bad}");
        }
    }
}
