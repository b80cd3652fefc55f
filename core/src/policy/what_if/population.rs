//! Who, what and where the documents of a tenant name, and one of each that they do not: from these representative
//! sign-ins are made, and what no policy touches is found.

use alloc::borrow::ToOwned as _;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use serde_json::json;

use super::tenant::Tenant;
use crate::json::{Map, Value};
use crate::policy::address::AddressRange;
use crate::policy::document::{configured, entries};
use crate::policy::location::Kind;

/// One alternative of a dimension: members of a sign-in, under a name for people.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Choice {
    /// For people.
    pub(super) label: String,
    /// The members of the line that it sets; those of `signInConditions` add up.
    pub(super) members: Map<String, Value>,
    /// What documents write to name it, in lower case; empty for what no document names.
    pub(super) names: Vec<String>,
}

impl Choice {
    fn new(label: impl Into<String>, names: &[&str], members: Value) -> Self {
        Self {
            label: label.into(),
            members: match members {
                Value::Object(members) => members,
                _ => Map::new(),
            },
            names: names.iter().map(|name| name.to_ascii_lowercase()).collect(),
        }
    }

    /// Whether a document names it with one of these words.
    pub(super) fn is_named_by(&self, words: &BTreeSet<String>) -> bool {
        self.names.iter().any(|name| words.contains(name))
    }
}

/// The alternatives of every dimension; those that no document names come last.
#[derive(Clone, Debug)]
pub(super) struct Population {
    pub(super) people: Vec<Choice>,
    pub(super) targets: Vec<Choice>,
    pub(super) places: Vec<Choice>,
}

/// A configured list of a policy, with the dotted path to it below `conditions`.
const PEOPLE: [(&str, &str); 8] = [
    ("users", "includeUsers"),
    ("users", "excludeUsers"),
    ("users", "includeGroups"),
    ("users", "excludeGroups"),
    ("users", "includeRoles"),
    ("users", "excludeRoles"),
    ("clientApplications", "includeServicePrincipals"),
    ("clientApplications", "excludeServicePrincipals"),
];

const GUEST_TYPES: [&str; 6] = [
    "internalGuest",
    "b2bCollaborationGuest",
    "b2bCollaborationMember",
    "b2bDirectConnectUser",
    "otherExternalUser",
    "serviceProvider",
];

impl Population {
    /// Of all these tenants together.
    pub(super) fn of(tenants: &[&Tenant]) -> Self {
        let mut words = Words::default();
        for policy in tenants.iter().flat_map(|tenant| &tenant.documents) {
            words.read(policy);
        }
        Self {
            people: words.people(),
            targets: words.targets(&groups(tenants)),
            places: places(tenants),
        }
    }
}

/// A member of each application group, if one is known.
fn groups<'a>(tenants: &[&'a Tenant]) -> BTreeMap<&'a str, Option<&'a str>> {
    let groups = tenants.iter().flat_map(|tenant| &tenant.groups);
    groups
        .map(|(name, group)| (name.as_str(), group.ids.first().map(String::as_str)))
        .collect()
}

/// The words of all policies, by what they name.
#[derive(Default)]
struct Words {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
    roles: BTreeSet<String>,
    guest_types: BTreeSet<String>,
    tenants: BTreeSet<String>,
    service_principals: BTreeSet<String>,
    applications: BTreeSet<String>,
    actions: BTreeSet<String>,
    contexts: BTreeSet<String>,
}

/// The words of a list in lower case, without the keywords that name no one in particular.
pub(super) fn words(value: Option<&Value>) -> impl Iterator<Item = String> + '_ {
    entries(value)
        .filter_map(Result::ok)
        .map(str::to_ascii_lowercase)
        .filter(|word| !KEYWORDS.contains(&word.as_str()))
}

const KEYWORDS: [&str; 6] = [
    "all",
    "none",
    "guestsorexternalusers",
    "allagentidusers",
    "serviceprincipalsinmytenant",
    "allagentidresources",
];

/// The conditions of a policy; of a disabled one nothing.
pub(super) fn conditions(policy: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let disabled = policy
        .get("state")
        .and_then(Value::as_str)
        .is_some_and(|state| state.eq_ignore_ascii_case("disabled"));
    let conditions = policy.get("conditions")?.as_object()?;
    (!disabled).then_some(conditions)
}

impl Words {
    fn read(&mut self, policy: &Map<String, Value>) {
        let Some(conditions) = conditions(policy) else {
            return;
        };
        let list = |object: &str, name: &str| conditions.get(object).and_then(|o| o.get(name));
        for (object, name) in PEOPLE {
            let into = match name {
                "includeUsers" | "excludeUsers" => &mut self.users,
                "includeGroups" | "excludeGroups" => &mut self.groups,
                "includeRoles" | "excludeRoles" => &mut self.roles,
                _ => &mut self.service_principals,
            };
            into.extend(words(list(object, name)));
        }
        for side in [
            "includeGuestsOrExternalUsers",
            "excludeGuestsOrExternalUsers",
        ] {
            let Some(guests) = list("users", side) else {
                continue;
            };
            let types = entries(guests.get("guestOrExternalUserTypes")).filter_map(Result::ok);
            self.guest_types.extend(
                types
                    .flat_map(|types| types.split(','))
                    .map(|name| name.trim().to_owned()),
            );
            let tenants = guests
                .get("externalTenants")
                .and_then(|tenants| tenants.get("members"));
            self.tenants.extend(words(tenants));
        }
        for name in ["includeApplications", "excludeApplications"] {
            self.applications.extend(words(list("applications", name)));
        }
        self.actions
            .extend(words(list("applications", "includeUserActions")));
        let contexts = "includeAuthenticationContextClassReferences";
        self.contexts.extend(words(list("applications", contexts)));
        // A policy that names agents alone names nobody of ours.
        if configured(conditions).any(|(name, _)| name == "clientApplications")
            && self.service_principals.is_empty()
        {
            let all = entries(list("clientApplications", "includeServicePrincipals")).next();
            if all.is_some() {
                self.service_principals.insert(stranger(0xFFFF));
            }
        }
    }

    fn people(&self) -> Vec<Choice> {
        let mut people = Vec::new();
        for user in &self.users {
            let label = format!("user {user}");
            people.push(Choice::new(label, &[user], member(user, &[], &[])));
        }
        for group in &self.groups {
            let user = stranger(people.len());
            let label = format!("members of group {group}");
            people.push(Choice::new(label, &[group], member(&user, &[group], &[])));
        }
        for role in &self.roles {
            let user = stranger(people.len());
            let label = format!("holders of role {role}");
            people.push(Choice::new(label, &[role], member(&user, &[], &[role])));
        }
        for kind in GUEST_TYPES {
            if !self
                .guest_types
                .iter()
                .any(|name| name.eq_ignore_ascii_case(kind))
            {
                continue;
            }
            let elsewhere = self
                .tenants
                .iter()
                .map(|tenant| (format!(" of tenant {tenant}"), tenant.clone()));
            let tenants = elsewhere.chain([(String::new(), stranger(0xFFFE))]);
            for (suffix, tenant) in tenants {
                let user = stranger(people.len());
                let label = format!("{kind}{suffix}");
                let names = [kind.to_ascii_lowercase(), tenant.clone()];
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                people.push(Choice::new(label, &names, guest(&user, kind, &tenant)));
            }
        }
        for id in &self.service_principals {
            let label = format!("service principal {id}");
            people.push(Choice::new(label, &[id], service_principal(id)));
        }
        let user = stranger(people.len());
        people.push(Choice::new(
            "any other guest",
            &[],
            guest(&user, "b2bCollaborationGuest", &stranger(0xFFFE)),
        ));
        if !self.service_principals.is_empty() {
            let id = stranger(people.len());
            people.push(Choice::new(
                "any other service principal",
                &[],
                service_principal(&id),
            ));
        }
        let user = stranger(people.len());
        people.push(Choice::new(
            "any other member",
            &[],
            member(&user, &[], &[]),
        ));
        people
    }

    fn targets(&self, groups: &BTreeMap<&str, Option<&str>>) -> Vec<Choice> {
        let mut targets = Vec::new();
        for application in &self.applications {
            let (label, id) = match groups.get(application.as_str()) {
                Some(Some(EXCHANGE_ONLINE)) => {
                    (format!("{application} (Exchange Online)"), EXCHANGE_ONLINE)
                }
                Some(Some(id)) => (format!("{application} (application {id})"), *id),
                // Nobody said who its members are: whatever application it is, none can be told.
                Some(None) => continue,
                None => (format!("application {application}"), application.as_str()),
            };
            let context = json!({"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": [id]});
            targets.push(Choice::new(
                label,
                &[application, id],
                json!({"signInContext": context}),
            ));
        }
        for action in &self.actions {
            let name = match action.as_str() {
                "urn:user:registersecurityinfo" => "registerSecurityInformation",
                "urn:user:registerdevice" => "registerOrJoinDevices",
                _ => continue,
            };
            let context =
                json!({"@odata.type": "#microsoft.graph.userActionContext", "userAction": name});
            targets.push(Choice::new(
                format!("user action {name}"),
                &[action],
                json!({"signInContext": context}),
            ));
        }
        for id in &self.contexts {
            let context = json!({"@odata.type": "#microsoft.graph.authContext", "authenticationContextValue": id});
            targets.push(Choice::new(
                format!("authentication context {id}"),
                &[id],
                json!({"signInContext": context}),
            ));
        }
        let context = json!({"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": [stranger(0xFFFD)]});
        targets.push(Choice::new(
            "any other application",
            &[],
            json!({"signInContext": context}),
        ));
        targets
    }
}

const EXCHANGE_ONLINE: &str = "00000002-0000-0ff1-ce00-000000000000";

/// An id that nobody has.
fn stranger(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

fn member(id: &str, groups: &[&str], roles: &[&str]) -> Value {
    json!({
        "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": id},
        "userType": "member", "memberOf": groups, "roles": roles
    })
}

fn guest(id: &str, kind: &str, tenant: &str) -> Value {
    let mut guest = member(id, &[], &[]);
    let external = json!({
        "@odata.type": "#microsoft.graph.userSignIn", "userId": id, "externalUserType": kind,
    });
    if let Some(members) = guest.as_object_mut() {
        members.insert("signInIdentity".into(), external);
        members.insert("userType".into(), "guest".into());
        if kind != "internalGuest" {
            members.insert("externalTenantId".into(), tenant.into());
        }
    }
    guest
}

fn service_principal(id: &str) -> Value {
    json!({"signInIdentity": {
        "@odata.type": "#microsoft.graph.servicePrincipalSignIn", "servicePrincipalId": id
    }})
}

/// One address or country of each named location, and one of none.
fn places(tenants: &[&Tenant]) -> Vec<Choice> {
    let locations = || tenants.iter().map(|tenant| tenant.set.named_locations());
    let held = |address: IpAddr| locations().any(|locations| locations.holds(address));
    // SPEC: RFC 5737: addresses for documentation, which are nobody's network.
    let elsewhere = ["192.0.2.", "198.51.100.", "203.0.113."]
        .iter()
        .flat_map(|net| (1..255).map(move |host| format!("{net}{host}")))
        .find(|text| text.parse().is_ok_and(|address| !held(address)))
        .unwrap_or_else(|| "192.0.2.1".into());
    let listed = |country: &str| {
        locations().flat_map(|l| l.locations()).any(|location| {
            matches!(&location.kind, Kind::Country { countries, .. } if countries.iter().any(|c| **c == *country))
        })
    };
    // ISO 3166-1: `XA` to `XZ` are nobody's.
    let abroad = ('A'..='Z')
        .map(|letter| format!("X{letter}"))
        .find(|country| !listed(country))
        .unwrap_or_default();

    let mut places: Vec<Choice> = Vec::new();
    for location in locations().flat_map(|locations| locations.locations()) {
        let id = location.id.as_deref().unwrap_or_default();
        let name = location.display_name.as_deref().unwrap_or(id);
        let (address, country) = match &location.kind {
            Kind::Ip { first, .. } => match first {
                Some(range) => (first_address(*range), abroad.clone()),
                None => continue,
            },
            Kind::Country {
                countries,
                unmapped,
                ..
            } => match countries.first() {
                Some(country) => (elsewhere.clone(), String::from(&**country)),
                None if *unmapped => (elsewhere.clone(), String::new()),
                None => continue,
            },
            Kind::Unseen(_) | Kind::NotUnderstood => continue,
        };
        let trusted = if location.trusted { "alltrusted" } else { "" };
        let names: Vec<&str> = [id, trusted]
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect();
        let conditions = json!({"signInConditions": {"ipAddress": address, "country": country}});
        if places
            .iter()
            .all(|place| place.members != *conditions.as_object().unwrap_or(&Map::new()))
        {
            places.push(Choice::new(format!("network {name}"), &names, conditions));
        }
    }
    let conditions = json!({"signInConditions": {"ipAddress": elsewhere, "country": abroad}});
    places.push(Choice::new("any other network", &[], conditions));
    places
}

fn first_address(range: AddressRange) -> String {
    match range {
        AddressRange::V4(lower, _) => format!("{lower}"),
        AddressRange::V6(lower, _) => format!("{lower}"),
    }
}
