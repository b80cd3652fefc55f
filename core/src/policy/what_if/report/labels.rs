//! Names for people: of policies, and of controls that Graph writes as ids.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::words::pair_name;
use crate::policy::what_if::{Description, PolicyName};

/// What things are called.
#[derive(Debug, Default)]
pub struct Labels {
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
    /// Those that are the same everywhere, and those that somebody gave: of authentication strengths and of objects, by id
    /// in lower case.
    #[must_use]
    pub fn new(strengths: BTreeMap<String, String>, objects: BTreeMap<String, String>) -> Self {
        let built_in = BUILT_IN
            .iter()
            .map(|(id, name)| ((*id).to_owned(), (*name).to_owned()));
        Self {
            strengths: built_in.chain(strengths).collect(),
            objects,
            ..Self::default()
        }
    }

    /// A text for people, in which the names of objects stand beside their ids.
    #[must_use]
    pub fn told(&self, text: &str) -> String {
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
    #[must_use]
    pub fn with(mut self, description: &Description) -> Self {
        self.policies = description.policies.iter().enumerate().map(name).collect();
        self.compared = description.compared.iter().map(pair_name).collect();
        self
    }

    /// A policy by its position among those of the documents.
    #[must_use]
    pub fn policy(&self, position: usize) -> &str {
        self.policies.get(position).map_or("?", String::as_str)
    }

    /// A policy by its position among those of both states.
    #[must_use]
    pub fn compared(&self, position: usize) -> &str {
        self.compared.get(position).map_or("?", String::as_str)
    }

    /// A grant control by its name in `unmet`.
    #[must_use]
    pub fn control(&self, name: &str) -> String {
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

fn name((position, policy): (usize, &PolicyName)) -> String {
    let name = policy.display_name.clone().or_else(|| policy.id.clone());
    name.unwrap_or_else(|| format!("policy {}", position.saturating_add(1)))
}
