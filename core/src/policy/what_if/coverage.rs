//! What a set of policies leaves open, and where its policies stand in each other's way.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::Serialize;

use super::conflicts::{self, Conflict};
use super::generate::DIMENSIONS;
use super::pairing::said;
use super::population::{Choice, Population, conditions, words};
use super::sign_in::SignIn;
use super::tenant::{Export, Tenant};
use crate::json::{Map, Value, canonical};
use crate::policy::compile::{CompiledPolicy, PolicyState};
use crate::policy::conditions::Condition;
use crate::policy::document::configured;
use crate::policy::logic::Truth;

/// What the enabled policies of a tenant come to together.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Coverage {
    /// How many policies are enabled and hold a control.
    enabled: usize,
    /// Whom, what and where no enabled policy touches.
    untouched: Untouched,
    /// Of those that are touched: for what, or from where, no enabled policy touches them, while it is touched for
    /// others.
    gaps: Vec<Gap>,
    conflicts: Vec<Conflict>,
    /// Policies that are not disabled, and apply to nobody.
    never_applies: Vec<Never>,
    /// Policies that apply to some, but never for certain.
    never_definite: Vec<Never>,
}

#[derive(Debug, Serialize)]
struct Untouched {
    people: Vec<Person>,
    targets: Vec<String>,
    networks: Vec<String>,
}

/// Somebody whom no enabled policy touches.
#[derive(Debug, Serialize)]
struct Person {
    who: String,
    /// Whether enabled policies exclude them, by name: on purpose, as it seems.
    excluded: bool,
}

/// A combination that no enabled policy touches.
#[derive(Debug, Serialize)]
struct Gap {
    people: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targets: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    networks: Vec<String>,
}

/// A policy, with the conditions that are in its way.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Never {
    policy: String,
    id: Option<String>,
    conditions: Vec<&'static str>,
    /// Why, for people.
    why: String,
}

/// Coverage of an export; nothing if it cannot be compiled.
pub(crate) fn coverage(export: &Export<'_>) -> Option<Coverage> {
    let tenant = Tenant::compile(export).ok()?;
    let population = Population::of(&[&tenant]);
    let reach = Reach::of(&tenant, &population);
    let mut answer = Coverage {
        enabled: reach.enabled().count(),
        untouched: Untouched {
            people: untouched(&reach, &population.people, |policy| &policy.people)
                .map(|choice| Person {
                    who: choice.label.clone(),
                    excluded: is_excluded(choice, &tenant),
                })
                .collect(),
            targets: labels(untouched(&reach, &population.targets, |policy| {
                &policy.targets
            })),
            networks: labels(untouched(&reach, &population.places, |policy| {
                &policy.places
            })),
        },
        gaps: gaps(&reach, &population),
        conflicts: conflicts::find(&tenant, &reach),
        never_applies: Vec::new(),
        never_definite: Vec::new(),
    };
    for (policy, document) in tenant.set.policies().iter().zip(&tenant.documents) {
        if policy.state != PolicyState::Disabled && policy.skipped.is_none() {
            let (never, unsure) = in_the_way(policy, &tenant, &reach);
            let row = |conditions: &[Condition], why| Never {
                policy: name(policy),
                id: policy.id.clone(),
                conditions: conditions
                    .iter()
                    .map(|condition| condition.as_str())
                    .collect(),
                why,
            };
            if !never.is_empty() {
                answer
                    .never_applies
                    .push(row(&never, why_never(&never, document)));
            } else if !unsure.is_empty() {
                answer
                    .never_definite
                    .push(row(&unsure, "these conditions can never be told".into()));
            }
        }
    }
    Some(answer)
}

/// The name of a policy for people.
pub(super) fn name(policy: &CompiledPolicy) -> String {
    policy
        .display_name
        .clone()
        .unwrap_or_else(|| policy.label())
}

/// What a policy comes to for each choice of a dimension, whatever the others are.
pub(super) struct PolicyReach {
    pub(super) enabled: bool,
    pub(super) people: Vec<Truth>,
    pub(super) targets: Vec<Truth>,
    pub(super) places: Vec<Truth>,
}

/// The same of every policy.
pub(super) struct Reach(pub(super) Vec<PolicyReach>);

impl Reach {
    fn of(tenant: &Tenant, population: &Population) -> Self {
        let read = |choices: &[Choice]| choices.iter().map(sign_in).collect::<Vec<_>>();
        let (people, targets, places) = (
            read(&population.people),
            read(&population.targets),
            read(&population.places),
        );
        let of = |policy: &CompiledPolicy| {
            let ask = |condition, facts: &[SignIn]| {
                facts
                    .iter()
                    .map(|facts| truth(policy, condition, facts, tenant))
                    .collect()
            };
            PolicyReach {
                enabled: policy.state == PolicyState::Enabled && policy.skipped.is_none(),
                people: ask(Condition::Users, &people),
                targets: ask(Condition::Application, &targets),
                places: ask(Condition::Location, &places),
            }
        };
        Self(tenant.set.policies().iter().map(of).collect())
    }

    fn enabled(&self) -> impl Iterator<Item = &PolicyReach> {
        self.0.iter().filter(|policy| policy.enabled)
    }
}

fn sign_in(choice: &Choice) -> SignIn {
    let line = canonical(&Value::Object(choice.members.clone()));
    // Choices are well-formed; were one not, nothing would be known of it.
    SignIn::read(&line).unwrap_or_default()
}

pub(super) fn truth(
    policy: &CompiledPolicy,
    condition: Condition,
    sign_in: &SignIn,
    tenant: &Tenant,
) -> Truth {
    let facts = sign_in.facts();
    let locations = tenant.set.named_locations();
    let place = locations.place(facts.address, facts.country);
    policy.conditions.truth(condition, &facts, place, locations)
}

/// The choices for which no enabled policy is anything but false.
fn untouched<'c>(
    reach: &'c Reach,
    choices: &'c [Choice],
    of: fn(&PolicyReach) -> &Vec<Truth>,
) -> impl Iterator<Item = &'c Choice> {
    choices
        .iter()
        .enumerate()
        .filter_map(move |(position, choice)| {
            let touched = reach.enabled().any(|policy| touches(of(policy), position));
            (!touched).then_some(choice)
        })
}

fn touches(truths: &[Truth], position: usize) -> bool {
    truths
        .get(position)
        .is_some_and(|truth| *truth != Truth::False)
}

fn labels<'c>(choices: impl Iterator<Item = &'c Choice>) -> Vec<String> {
    choices.map(|choice| choice.label.clone()).collect()
}

/// Whether an enabled policy excludes a choice by name.
fn is_excluded(choice: &Choice, tenant: &Tenant) -> bool {
    let policies = tenant.set.policies().iter().zip(&tenant.documents);
    let enabled = policies.filter(|(policy, _)| policy.state == PolicyState::Enabled);
    enabled
        .filter_map(|(_, document)| conditions(document))
        .flat_map(configured)
        .filter_map(|(_, value)| value.as_object())
        .flat_map(configured)
        .filter(|(name, _)| name.starts_with("exclude"))
        .any(|(_, value)| choice.is_named_by(&words(Some(value)).collect()))
}

/// People with what no policy touches for them, those with the same gaps together.
fn gaps(reach: &Reach, population: &Population) -> Vec<Gap> {
    let mut found: BTreeMap<(Vec<usize>, Vec<usize>), Vec<String>> = BTreeMap::new();
    for (position, person) in population.people.iter().enumerate() {
        let own: Vec<&PolicyReach> = reach
            .enabled()
            .filter(|policy| touches(&policy.people, position))
            .collect();
        if own.is_empty() {
            continue;
        }
        let open = |count: usize, of: fn(&PolicyReach) -> &Vec<Truth>| -> Vec<usize> {
            (0..count)
                .filter(|other| !own.iter().any(|policy| touches(of(policy), *other)))
                // What nobody is touched for is told once, not for each of them.
                .filter(|other| reach.enabled().any(|policy| touches(of(policy), *other)))
                .collect()
        };
        let targets = open(population.targets.len(), |policy| &policy.targets);
        let networks = open(population.places.len(), |policy| &policy.places);
        if !targets.is_empty() || !networks.is_empty() {
            let same = found.entry((targets, networks)).or_default();
            same.push(person.label.clone());
        }
    }
    let pick = |positions: &[usize], choices: &[Choice]| {
        positions
            .iter()
            .filter_map(|position| choices.get(*position))
            .map(|choice| choice.label.clone())
            .collect()
    };
    found
        .into_iter()
        .map(|((targets, networks), people)| Gap {
            people,
            targets: pick(&targets, &population.targets),
            networks: pick(&networks, &population.places),
        })
        .collect()
}

/// The conditions of a policy that are false for everybody, and those that are true for nobody.
///
/// One include target at a time is the best case of a union, and every value of an enumeration is tried: so what is
/// false here is false for all combinations. Device filters and times are not searched.
fn in_the_way(
    policy: &CompiledPolicy,
    tenant: &Tenant,
    reach: &Reach,
) -> (Vec<Condition>, Vec<Condition>) {
    let (mut never, mut unsure) = (Vec::new(), Vec::new());
    let mut judge = |condition, truths: &[Truth]| {
        if truths.iter().all(|truth| *truth == Truth::False) {
            never.push(condition);
        } else if !truths.contains(&Truth::True) {
            unsure.push(condition);
        }
    };
    if let Some(own) = reach.0.get(policy.index) {
        judge(Condition::Users, &own.people);
        judge(Condition::Application, &own.targets);
        judge(Condition::Location, &own.places);
    }
    for (condition, name) in [
        (Condition::DevicePlatform, "platforms"),
        (Condition::ClientApps, "clientAppTypes"),
        (Condition::SignInRisk, "signInRiskLevels"),
        (Condition::UserRisk, "userRiskLevels"),
        (Condition::InsiderRisk, "insiderRiskLevels"),
        (Condition::AuthenticationFlow, "authenticationFlows"),
        (
            Condition::ServicePrincipalRisk,
            "servicePrincipalRiskLevels",
        ),
    ] {
        let dimension = DIMENSIONS
            .iter()
            .find(|dimension| dimension.condition == name);
        let truths: Vec<Truth> = dimension
            .into_iter()
            .flat_map(|dimension| dimension.values.iter().map(move |value| (dimension, value)))
            .map(|(dimension, value)| {
                let fact = Map::from_iter([(dimension.fact.to_string(), dimension.fact(value))]);
                let members =
                    Map::from_iter([("signInConditions".to_string(), Value::Object(fact))]);
                let facts = SignIn::read(&canonical(&Value::Object(members))).unwrap_or_default();
                truth(policy, condition, &facts, tenant)
            })
            .collect();
        judge(condition, &truths);
    }
    for condition in [
        Condition::Time,
        Condition::InvalidCondition,
        Condition::InvalidPolicy,
        Condition::PolicyNotEnabled,
    ] {
        judge(
            condition,
            &[truth(policy, condition, &SignIn::default(), tenant)],
        );
    }
    (never, unsure)
}

/// Why a policy applies to nobody.
fn why_never(never: &[Condition], document: &Map<String, Value>) -> String {
    let explain = |condition: &Condition| {
        let (what, object, sides) = match condition {
            Condition::Users => ("users", "users", USERS),
            Condition::Application => ("applications", "applications", APPLICATIONS),
            Condition::Location => (
                "locations",
                "locations",
                &[("includeLocations", "excludeLocations")][..],
            ),
            Condition::DevicePlatform => (
                "platforms",
                "platforms",
                &[("includePlatforms", "excludePlatforms")][..],
            ),
            other => return format!("no value of {} fits", other.as_str()),
        };
        let list = |name: &str| {
            let members = document
                .get("conditions")
                .and_then(|conditions| conditions.get(object));
            said(members.and_then(|members| members.get(name)))
        };
        let contradicts = |(include, exclude): &(&str, &str)| {
            let (include, exclude) = (list(include), list(exclude));
            include.is_some() && include == exclude
        };
        if sides.iter().any(contradicts) {
            format!("the {what} that are included are also excluded")
        } else if sides.iter().all(|(include, _)| list(include).is_none()) {
            format!("no {what} are included")
        } else {
            format!("none of the {what} that are included is left")
        }
    };
    let reasons: BTreeSet<String> = never.iter().map(explain).collect();
    reasons.into_iter().collect::<Vec<_>>().join("; ")
}

const USERS: &[(&str, &str)] = &[
    ("includeUsers", "excludeUsers"),
    ("includeGroups", "excludeGroups"),
    ("includeRoles", "excludeRoles"),
    (
        "includeGuestsOrExternalUsers",
        "excludeGuestsOrExternalUsers",
    ),
];

const APPLICATIONS: &[(&str, &str)] = &[
    ("includeApplications", "excludeApplications"),
    ("includeUserActions", ""),
    ("includeAuthenticationContextClassReferences", ""),
];
