//! What policies and locations name: the ids, texts and addresses that facts are drawn from.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

use crate::oracle::Groups;

/// The names of one policy set, by the fact that they may be.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// User ids.
    pub users: Vec<String>,
    /// Group ids.
    pub groups: Vec<String>,
    /// Role template ids.
    pub roles: Vec<String>,
    /// Service principal ids.
    pub principals: Vec<String>,
    /// Tenant ids.
    pub tenants: Vec<String>,
    /// Application ids.
    pub applications: Vec<String>,
    /// User actions, as URNs.
    pub actions: Vec<String>,
    /// Authentication contexts.
    pub contexts: Vec<String>,
    /// Texts in the rules of device filters.
    pub texts: Vec<String>,
    /// Controls under the names of answers.
    pub controls: Vec<String>,
    /// Addresses in and around the ranges of locations.
    pub addresses: Vec<String>,
    /// Countries.
    pub countries: Vec<String>,
}

/// The ids of the locations that policies name.
pub(super) fn location_ids(policies: &[Value]) -> Vec<String> {
    texts(
        policies,
        &[
            "/conditions/locations/includeLocations",
            "/conditions/locations/excludeLocations",
        ],
    )
}

/// The strings at some places of all documents, each once.
fn texts(documents: &[Value], pointers: &[&str]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for node in documents.iter().flat_map(|document| {
        pointers
            .iter()
            .filter_map(|pointer| document.pointer(pointer))
    }) {
        let items = node
            .as_array()
            .map_or(std::slice::from_ref(node), Vec::as_slice);
        // An empty entry is none (row 6).
        let given = items
            .iter()
            .filter_map(Value::as_str)
            .filter(|text| !text.is_empty());
        found.extend(given.map(str::to_owned));
    }
    found.into_iter().collect()
}

impl Vocabulary {
    /// What these policies and locations name.
    #[must_use]
    pub fn of(policies: &[Value], locations: &[Value], groups: &Groups) -> Self {
        let both = |condition: &str, kind: &str| {
            let [include, exclude] =
                ["include", "exclude"].map(|side| format!("/conditions/{condition}/{side}{kind}"));
            texts(policies, &[&include, &exclude])
        };
        let tenants = ["include", "exclude"].map(|side| {
            format!("/conditions/users/{side}GuestsOrExternalUsers/externalTenants/members")
        });
        let mut applications = both("applications", "Applications");
        applications.retain(|id| is_no_keyword(id));
        applications.extend(groups.values().flat_map(|group| group.ids.clone()));
        Self {
            users: both("users", "Users")
                .into_iter()
                .filter(|id| is_no_keyword(id))
                .collect(),
            groups: both("users", "Groups"),
            roles: both("users", "Roles"),
            principals: both("clientApplications", "ServicePrincipals")
                .into_iter()
                .filter(|id| is_no_keyword(id))
                .collect(),
            tenants: texts(policies, &[&tenants[0], &tenants[1]]),
            applications,
            actions: texts(policies, &["/conditions/applications/includeUserActions"]),
            contexts: texts(
                policies,
                &["/conditions/applications/includeAuthenticationContextClassReferences"],
            ),
            texts: rule_texts(policies),
            controls: controls(policies),
            addresses: locations.iter().flat_map(addresses).collect(),
            countries: texts(locations, &["/countriesAndRegions"]),
        }
    }
}

/// Whether a fact may be called so. No directory has a user of these names.
fn is_no_keyword(id: &str) -> bool {
    ![
        "all",
        "none",
        "guestsorexternalusers",
        "allagentidusers",
        "serviceprincipalsinmytenant",
    ]
    .contains(&id.to_lowercase().as_str())
}

/// What stands between quotation marks in the rules of device filters.
fn rule_texts(policies: &[Value]) -> Vec<String> {
    let rules = texts(policies, &["/conditions/devices/deviceFilter/rule"]);
    let quoted = |rule: &String| -> Vec<String> {
        let parts = rule.split(['"', '\'']).skip(1).step_by(2);
        parts.map(|part| part.replace('`', "")).collect()
    };
    let unique: BTreeSet<String> = rules.iter().flat_map(quoted).collect();
    unique.into_iter().collect()
}

fn controls(policies: &[Value]) -> Vec<String> {
    let mut controls = texts(policies, &["/grantControls/builtInControls"]);
    for (kind, pointer) in [
        ("termsOfUse", "/grantControls/termsOfUse"),
        (
            "customAuthenticationFactor",
            "/grantControls/customAuthenticationFactors",
        ),
        (
            "authenticationStrength",
            "/grantControls/authenticationStrength/id",
        ),
    ] {
        controls.extend(
            texts(policies, &[pointer])
                .iter()
                .map(|id| format!("{kind}:{id}")),
        );
    }
    controls
}

/// Addresses at the edges of the ranges of a location and next to them.
fn addresses(location: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for range in location["ipRanges"].as_array().into_iter().flatten() {
        for text in ["cidrAddress", "lowerAddress", "upperAddress"]
            .iter()
            .filter_map(|name| range[name].as_str())
        {
            let (start, prefix) = text.split_once('/').unwrap_or((text, "128"));
            let prefix: u32 = prefix.parse().unwrap_or_default();
            let edges = match start.parse() {
                Ok(IpAddr::V4(address)) => {
                    let host = u32::MAX.checked_shr(prefix).unwrap_or_default();
                    let first = address.to_bits() & !host;
                    [
                        address.to_bits(),
                        first,
                        first | host,
                        first.wrapping_sub(1),
                        (first | host).wrapping_add(1),
                    ]
                    .map(|bits| IpAddr::V4(bits.into()))
                }
                Ok(IpAddr::V6(address)) => {
                    let host = u128::MAX.checked_shr(prefix).unwrap_or_default();
                    let first = address.to_bits() & !host;
                    [
                        address.to_bits(),
                        first,
                        first | host,
                        first.wrapping_sub(1),
                        (first | host).wrapping_add(1),
                    ]
                    .map(|bits| IpAddr::V6(bits.into()))
                }
                Err(_) => continue,
            };
            found.extend(edges.iter().map(ToString::to_string));
        }
    }
    found
}
