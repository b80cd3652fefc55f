//! Names for people: of policies, and of controls that Graph writes as ids.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cae_core::json::{self, Limits, Value};
use cae_core::policy::what_if::{Description, DocumentPair, PolicyName};

use super::super::input;
use super::super::problem::Problem;

/// What things are called.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// Names of authentication strengths, by id in lower case.
    strengths: BTreeMap<String, String>,
    /// Names of users, groups, roles and applications, by id in lower case.
    objects: BTreeMap<String, String>,
    /// Names of the policies, in the order of their documents.
    policies: Vec<String>,
    /// Names of the policies of both states.
    compared: Vec<String>,
}

/// SPEC: conditional-access.md §3: ids that are the same in every tenant.
const BUILT_IN: [(&str, &str); 3] = [
    (
        "00000000-0000-0000-0000-000000000002",
        "multifactor authentication",
    ),
    ("00000000-0000-0000-0000-000000000003", "passwordless MFA"),
    (
        "00000000-0000-0000-0000-000000000004",
        "phishing-resistant MFA",
    ),
];

impl Labels {
    /// Reads the names of authentication strengths, and those of other objects, as Graph exports them.
    pub(super) fn read(strengths: Option<&Path>, objects: &[PathBuf]) -> Result<Self, Problem> {
        let built_in = BUILT_IN
            .iter()
            .map(|(id, name)| ((*id).to_owned(), (*name).to_owned()));
        let mut labels = Self {
            strengths: built_in.collect(),
            ..Self::default()
        };
        if let Some(file) = strengths {
            named(file, &["id"], &mut labels.strengths)?;
        }
        for file in objects {
            // Policies name applications and directory roles by these.
            named(
                file,
                &["id", "appId", "roleTemplateId"],
                &mut labels.objects,
            )?;
        }
        Ok(labels)
    }

    /// A text for people, in which the names of objects stand beside their ids.
    pub(super) fn told(&self, text: &str) -> String {
        let words = text.split_inclusive([' ', ',', ';', ')', '(']);
        let word = |word: &str| {
            let id = word.trim_end_matches([' ', ',', ';', ')', '(']);
            match self.objects.get(&id.to_ascii_lowercase()) {
                Some(name) => word.replacen(id, &format!("\u{201C}{name}\u{201D}"), 1),
                None => word.to_owned(),
            }
        };
        words.map(word).collect()
    }

    /// Adds the names of the policies.
    pub(super) fn with(mut self, description: &Description) -> Self {
        self.policies = description.policies.iter().enumerate().map(name).collect();
        self.compared = description.compared.iter().map(pair_name).collect();
        self
    }

    /// A policy by its position among those of the documents.
    pub(super) fn policy(&self, position: usize) -> &str {
        self.policies.get(position).map_or("?", String::as_str)
    }

    /// A policy by its position among those of both states.
    pub(super) fn compared(&self, position: usize) -> &str {
        self.compared.get(position).map_or("?", String::as_str)
    }

    /// A grant control by its name in `unmet`.
    pub(super) fn control(&self, name: &str) -> String {
        let (kind, id) = name.split_once(':').unwrap_or((name, ""));
        let words = match kind {
            "mfa" => "MFA",
            "compliantDevice" => "compliant device",
            "domainJoinedDevice" => "hybrid joined device",
            "approvedApplication" => "approved app",
            "compliantApplication" => "protected app",
            "passwordChange" => "password change",
            "riskRemediation" => "risk remediation",
            "termsOfUse" => "terms of use",
            "customAuthenticationFactor" => "custom factor",
            "authenticationStrength" => {
                let known = self.strengths.get(id).map_or(id, String::as_str);
                return format!("strength {known}");
            }
            other => return other.to_owned(),
        };
        words.to_owned()
    }
}

/// Reads `displayName` by each of the members that may identify an object.
fn named(file: &Path, ids: &[&str], names: &mut BTreeMap<String, String>) -> Result<(), Problem> {
    let document = json::parse(input::document(file)?.as_bytes(), Limits::DOCUMENT)
        .map_err(|error| Problem::file(file, error))?;
    let list = match &document {
        Value::Object(members) => members.get("value").unwrap_or(&document),
        other => other,
    };
    let items = match list {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    for item in items {
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        if text("id").is_none() {
            return Err(Problem::file(
                file,
                "an object without `id`: export it from Graph with `id` and `displayName`",
            ));
        }
        let Some(name) = text("displayName") else {
            continue;
        };
        for id in ids.iter().filter_map(|id| text(id)) {
            names.insert(id.to_ascii_lowercase(), name.to_owned());
        }
    }
    Ok(())
}

fn name((position, policy): (usize, &PolicyName)) -> String {
    let name = policy.display_name.clone().or_else(|| policy.id.clone());
    name.unwrap_or_else(|| format!("policy {}", position.saturating_add(1)))
}

/// A policy or named location of both states.
pub(super) fn pair_name(pair: &DocumentPair) -> String {
    let name = pair.display_name.clone().or_else(|| pair.id.clone());
    let position = || pair.index.unwrap_or_default().saturating_add(1);
    name.unwrap_or_else(|| format!("number {}", position()))
}
