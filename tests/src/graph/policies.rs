//! Conditional Access, and the setting that was before it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::error;
use crate::server::{Asked, Said};

/// Policies and what they refer to.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// <https://learn.microsoft.com/graph/api/conditionalaccessroot-list-policies>
    pub policies: Vec<Value>,
    /// <https://learn.microsoft.com/graph/api/conditionalaccessroot-list-namedlocations>
    pub named_locations: Vec<Value>,
    /// <https://learn.microsoft.com/graph/api/authenticationstrengthroot-list-policies>
    pub authentication_strengths: Vec<Value>,
    /// <https://learn.microsoft.com/graph/api/conditionalaccessroot-list-authenticationcontextclassreferences>
    pub authentication_contexts: Vec<Value>,
    /// <https://learn.microsoft.com/graph/api/resources/continuousaccessevaluationpolicy>
    pub legacy: Option<Value>,
    /// Counts changes, for entity tags.
    pub version: u64,
    /// How many requests were answered with 304.
    pub not_modified: u64,
}

impl Policies {
    pub(super) fn legacy(&self) -> Said {
        match &self.legacy {
            Some(legacy) => Said::json(legacy),
            None => error(404, "ResourceNotFound"),
        }
    }

    pub(super) fn list(
        &mut self,
        url: &str,
        path: &str,
        parameters: &BTreeMap<String, String>,
        asked: &Asked,
        page: usize,
    ) -> Said {
        let all = match path {
            "identity/conditionalAccess/policies" => &self.policies,
            "identity/conditionalAccess/namedLocations" => &self.named_locations,
            "policies/authenticationStrengthPolicies" => &self.authentication_strengths,
            "identity/conditionalAccess/authenticationContextClassReferences" => {
                &self.authentication_contexts
            }
            _ => return error(404, "ResourceNotFound"),
        };
        let tag = format!("W/\"{}\"", self.version);
        let skip = parameters.get("$skip");
        let from: usize = skip.and_then(|skip| skip.parse().ok()).unwrap_or(0);
        if from == 0 && asked.header("if-none-match") == Some(&tag) {
            self.not_modified += 1;
            return Said::Reply(304, vec![("ETag", tag)], String::new());
        }
        let rest = all.get(from..).unwrap_or_default();
        let value: Vec<Value> = rest.iter().take(page).cloned().collect();
        let mut body =
            json!({"@odata.context": format!("{url}/v1.0/$metadata#{path}"), "value": value});
        if rest.len() > page {
            body["@odata.nextLink"] = json!(format!("{url}/v1.0/{path}?$skip={}", from + page));
        }
        Said::Reply(200, vec![("ETag", tag)], body.to_string())
    }
}
