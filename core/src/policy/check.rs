//! What policies and named locations mean at the resource, for people: `cae policy check`, `cae location match`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::IpAddr;

use serde::Serialize;

use super::address::parse_address;
use super::compile::{CompiledPolicy, Reading, warn_of_disabling};
use super::conditions::Condition;
use super::conditions::devices::Devices;
use super::controls::GrantControl;
use super::location::{self, Known, Named, NamedLocation, NamedLocations};
use super::logic::Truth;
use super::what_if::Export;
use super::what_if::coverage::{Coverage, coverage};
use crate::configuration::{Fault, Settings, application_groups};
use crate::json::{self, Limits, Value};

/// Says for each policy of each file (name, text) what the resource enforces, what only the issuer can, and what
/// is not understood, as canonical JSON:
///
/// `{"ok", "policies": [{"file", "index", "id", "displayName", "state", "enforcedAtResource", "onlyAtIssuer",
/// "notUnderstood", "warnings"}], "coverage", "warnings", "faults": [{"file", "at", "code", "message"}]}`
///
/// `coverage` says what the enabled policies leave open together, and where policies stand in each other's way; it is
/// `null` if something cannot be read.
/// `index` counts within the file; `ok` is false if a file cannot be read. Faults of the named locations have
/// the file name `namedLocations`, those of the application groups `applicationGroups`.
#[must_use]
pub fn check(export: &Export<'_>) -> String {
    let mut answer = CheckAnswer::default();
    let document = export
        .named_locations
        .and_then(|text| parse(text, NAMED_LOCATIONS, &mut answer.faults));
    let mut faults = Vec::new();
    let locations = document
        .as_ref()
        .map(|document| location::read(document, "", &mut faults));
    add(&mut answer.faults, NAMED_LOCATIONS, faults);
    if let (Some(locations), Some(document)) = (&locations, &document) {
        answer.warnings = location::warnings(locations, document);
    }

    let named = locations.as_deref().map(Named::new);
    let settings = settings(export, &mut answer.faults);
    let reading = Reading {
        known: Known {
            named: named.as_ref(),
            offset: 0,
        },
        application_groups: &settings.application_groups,
        changed_at: &settings.policy_changed_at,
        strengths: &settings.authentication_strengths,
    };
    let table = NamedLocations::new(locations.clone().unwrap_or_default());
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (file, text) in export.policies {
        let Some(document) = parse(text, file, &mut answer.faults) else {
            continue;
        };
        let mut faults = Vec::new();
        for (at, mut policy) in CompiledPolicy::read_all(&document, "", &reading, &mut faults) {
            policy.reads = policy.conditions.reads(&table);
            warn_of_disabling(&mut policy);
            let mut row = PolicyRow::new(file, &policy, &table);
            if let Some(id) = &policy.id {
                let place = format!("{file}{at}");
                if let Some(other) = seen.insert(id.to_ascii_lowercase(), place) {
                    row.warnings.push(format!("id: {other} has the same id"));
                }
            }
            answer.policies.push(row);
        }
        add(&mut answer.faults, file, faults);
    }
    answer.ok = answer.faults.is_empty();
    if answer.ok {
        answer.coverage = coverage(export);
    }
    json::to_text(&answer)
}

/// Says which named locations hold each address, as canonical JSON:
///
/// `{"ok", "addresses": [{"address", "canonical", "error"?, "locations": [{"id", "displayName", "trusted",
/// "match": "yes|unknown"}]}], "warnings", "faults": [{"file", "at", "code", "message"}]}`
///
/// `unknown` where the location holds countries, or ranges that cannot be read; `ok` is false if the document or
/// an address cannot be read.
#[must_use]
pub fn match_locations(named_locations: &str, addresses: &[&str]) -> String {
    let mut answer = MatchAnswer::default();
    if let Some(document) = parse(named_locations, NAMED_LOCATIONS, &mut answer.faults) {
        let mut faults = Vec::new();
        let locations = location::read(&document, "", &mut faults);
        add(&mut answer.faults, NAMED_LOCATIONS, faults);
        answer.warnings = location::warnings(&locations, &document);
        let locations = NamedLocations::new(locations);
        answer.addresses = addresses
            .iter()
            .map(|text| AddressRow::new(text, &locations))
            .collect();
    }
    answer.ok = answer.faults.is_empty() && answer.addresses.iter().all(|row| row.error.is_none());
    json::to_text(&answer)
}

/// Stands for the file with the named locations, whose name the engine does not know.
pub(super) const NAMED_LOCATIONS: &str = "namedLocations";
/// The name under which faults of the application groups are reported.
const APPLICATION_GROUPS: &str = "applicationGroups";

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckAnswer {
    ok: bool,
    policies: Vec<PolicyRow>,
    coverage: Option<Coverage>,
    warnings: Vec<String>,
    faults: Vec<FaultRow>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyRow {
    file: String,
    index: usize,
    id: Option<String>,
    display_name: Option<String>,
    state: &'static str,
    enforced_at_resource: Vec<String>,
    only_at_issuer: Vec<String>,
    not_understood: Vec<String>,
    warnings: Vec<String>,
}

/// A fault in one of several files.
#[derive(Debug, Serialize)]
pub(super) struct FaultRow {
    file: String,
    at: String,
    code: &'static str,
    message: String,
}

#[derive(Default, Serialize)]
struct MatchAnswer {
    ok: bool,
    addresses: Vec<AddressRow>,
    warnings: Vec<String>,
    faults: Vec<FaultRow>,
}

#[derive(Serialize)]
struct AddressRow {
    address: String,
    canonical: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    locations: Vec<LocationRow>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LocationRow {
    id: Option<String>,
    display_name: Option<String>,
    trusted: bool,
    r#match: &'static str,
}

pub(super) fn parse(text: &str, file: &str, faults: &mut Vec<FaultRow>) -> Option<Value> {
    json::parse(text.as_bytes(), Limits::DOCUMENT)
        .map_err(|error| {
            let fault = Fault {
                at: String::new(),
                code: "policy.malformed",
                message: error.to_string(),
            };
            faults.push(FaultRow::new(file, fault));
        })
        .ok()
}

/// The settings by which an export is read.
pub(super) fn settings(export: &Export<'_>, faults: &mut Vec<FaultRow>) -> Settings {
    let mut settings = Settings::default();
    let groups = export
        .application_groups
        .and_then(|text| parse(text, APPLICATION_GROUPS, faults));
    if let Some(groups) = groups {
        let mut found = Vec::new();
        settings.application_groups = application_groups(&groups, &mut found);
        add(faults, APPLICATION_GROUPS, found);
    }
    settings
}

pub(super) fn add(rows: &mut Vec<FaultRow>, file: &str, faults: Vec<Fault>) {
    rows.extend(faults.into_iter().map(|fault| FaultRow::new(file, fault)));
}

impl FaultRow {
    pub(super) fn new(file: &str, fault: Fault) -> Self {
        Self {
            file: file.into(),
            at: fault.at,
            code: fault.code,
            message: fault.message,
        }
    }
}

impl PolicyRow {
    fn new(file: &str, policy: &CompiledPolicy, locations: &NamedLocations) -> Self {
        let mut row = Self {
            file: file.into(),
            index: policy.index,
            id: policy.id.clone(),
            display_name: policy.display_name.clone(),
            state: policy.state.as_str(),
            enforced_at_resource: Vec::new(),
            only_at_issuer: Vec::new(),
            not_understood: policy.not_understood.clone(),
            warnings: policy.warnings.clone(),
        };
        row.conditions(policy, locations);
        row.controls(policy);
        row
    }

    /// Where each condition is enforced (`conditional-access.md` §6).
    fn conditions(&mut self, policy: &CompiledPolicy, locations: &NamedLocations) {
        let conditions = &policy.conditions;
        let read = conditions.reads(locations);
        let opaque = matches!(conditions.devices, Devices::Opaque);
        let reads = |condition| {
            read.contains(condition)
                && !conditions.undecided.contains(condition)
                && !(opaque && condition == Condition::Devices)
        };
        let targets = &conditions.applications;
        for (named, path) in [
            (conditions.identities.users_named, "conditions.users"),
            (
                conditions.identities.workloads_named,
                "conditions.clientApplications",
            ),
            (targets.include.is_named(), "conditions.applications"),
            (reads(Condition::Devices), "conditions.devices"),
            (
                reads(Condition::Location) && (policy.reads_address || !policy.reads_country),
                "conditions.locations",
            ),
            (reads(Condition::UserRisk), "conditions.userRiskLevels"),
            (
                reads(Condition::ServicePrincipalRisk),
                "conditions.servicePrincipalRiskLevels",
            ),
        ] {
            if named {
                self.enforced_at_resource.push(path.into());
            }
        }
        for (named, path) in [
            (
                !targets.user_actions.is_empty(),
                "conditions.applications.includeUserActions",
            ),
            (
                !targets.contexts.is_empty(),
                "conditions.applications.includeAuthenticationContextClassReferences",
            ),
            (reads(Condition::DevicePlatform), "conditions.platforms"),
            (reads(Condition::ClientApps), "conditions.clientAppTypes"),
            (
                policy.reads_country,
                "conditions.locations.countryNamedLocation",
            ),
            (
                conditions.locations.reads_unseen,
                "conditions.locations.compliantNetworkNamedLocation",
            ),
            (reads(Condition::SignInRisk), "conditions.signInRiskLevels"),
            (
                reads(Condition::InsiderRisk),
                "conditions.insiderRiskLevels",
            ),
            (
                reads(Condition::AuthenticationFlow),
                "conditions.authenticationFlows",
            ),
        ] {
            if named {
                self.only_at_issuer.push(path.into());
            }
        }
    }

    fn controls(&mut self, policy: &CompiledPolicy) {
        for control in policy
            .grant
            .controls
            .iter()
            .filter(|control| !control.is_not_understood())
        {
            let path = format!("grantControls.{}", control.name());
            match control {
                GrantControl::Block
                | GrantControl::Mfa
                | GrantControl::CompliantDevice
                | GrantControl::DomainJoinedDevice => {
                    self.enforced_at_resource.push(path);
                }
                GrantControl::AuthenticationStrength(_) if policy.grant.strength.is_some() => {
                    self.enforced_at_resource.push(path);
                }
                _ => self.only_at_issuer.push(path),
            }
        }
        for (present, name) in [
            (
                policy.session.continuous_access_evaluation.is_some(),
                "continuousAccessEvaluation",
            ),
            (
                policy.session.sign_in_frequency.is_some(),
                "signInFrequency",
            ),
        ] {
            if present {
                self.enforced_at_resource
                    .push(format!("sessionControls.{name}"));
            }
        }
        let others = policy
            .session
            .others
            .iter()
            .map(|name| format!("sessionControls.{name}"));
        let understood = others.filter(|path| !policy.not_understood.contains(path));
        self.only_at_issuer.extend(understood);
    }
}

impl AddressRow {
    fn new(text: &str, locations: &NamedLocations) -> Self {
        let address = parse_address(text);
        Self {
            address: text.into(),
            canonical: address.map(|address| address.to_string()),
            error: address
                .is_none()
                .then_some("not an IPv4 or IPv6 address: no port, zone id or leading zeros"),
            locations: address.map_or_else(Vec::new, |address| rows(address, locations)),
        }
    }
}

fn rows(address: IpAddr, locations: &NamedLocations) -> Vec<LocationRow> {
    let place = locations.place(Some(address), None);
    let row = |(index, location): (usize, &NamedLocation)| {
        let r#match = match locations.truth(index, place) {
            Truth::True => "yes",
            Truth::Unknown => "unknown",
            Truth::False => return None,
        };
        Some(LocationRow {
            id: location.id.clone(),
            display_name: location.display_name.clone(),
            trusted: location.trusted,
            r#match,
        })
    };
    locations
        .locations()
        .iter()
        .enumerate()
        .filter_map(row)
        .collect()
}

#[cfg(test)]
mod tests;
