//! Representative sign-ins, made from the policies themselves: what each of them names, with each other, beside
//! somebody, something and somewhere that none of them names.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::population::{Choice, Population, conditions};
use super::tenant::Tenant;
use crate::json::{Map, Value, canonical};
use crate::policy::document::{configured, entries};

/// Sign-ins made from policies.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Representatives {
    /// One sign-in a line.
    pub lines: String,
    /// How many.
    pub sign_ins: usize,
    /// How many kinds of people.
    pub people: usize,
    /// How many applications, user actions and authentication contexts.
    pub targets: usize,
    /// How many networks.
    pub places: usize,
    /// How many combinations of device, client, risk and authentication flow.
    pub circumstances: usize,
    /// Whether combinations were left out because there are too many.
    pub thinned: bool,
}

/// Positions in the lists of people, targets, places and circumstances.
type Recipe = [usize; 4];

/// How many combinations of one policy are tried at most.
const EACH: usize = 4_000;
/// How many sign-ins there are at most.
const ALL: usize = 60_000;

/// Makes sign-ins from the policies of all these tenants.
pub(super) fn representatives(tenants: &[&Tenant]) -> Representatives {
    let population = Population::of(tenants);
    let mut circumstances = Vec::from([base()]);
    let mut recipes: BTreeSet<Recipe> = BTreeSet::new();
    let mut thinned = false;
    let mut cross = |lists: [&[usize]; 4], recipes: &mut BTreeSet<Recipe>| {
        thinned |= combine(lists, EACH, recipes);
    };
    let everybody: Vec<usize> = (0..population.people.len()).collect();
    let everything: Vec<usize> = (0..population.targets.len()).collect();
    let everywhere: Vec<usize> = (0..population.places.len()).collect();
    for policy in tenants.iter().flat_map(|tenant| &tenant.documents) {
        let Some(conditions) = conditions(policy) else {
            continue;
        };
        let own = circumstances_of(conditions, &mut circumstances);
        let people = named(
            &population.people,
            conditions,
            &["users", "clientApplications"],
        );
        let targets = named(&population.targets, conditions, &["applications"]);
        let places = named(&population.places, conditions, &["locations"]);
        cross([&people, &targets, &places, &own], &mut recipes);
    }
    cross(
        [&everybody, &everything, last(&everywhere), &[0]],
        &mut recipes,
    );
    cross(
        [&everybody, last(&everything), &everywhere, &[0]],
        &mut recipes,
    );
    cross(
        [last(&everybody), &everything, &everywhere, &[0]],
        &mut recipes,
    );

    let step = recipes.len().div_ceil(ALL).max(1);
    thinned |= step > 1;
    let mut lines = String::new();
    let mut sign_ins = 0_usize;
    for recipe in recipes.iter().step_by(step) {
        if let Some(line) = write(recipe, &population, &circumstances) {
            lines.push_str(&line);
            lines.push('\n');
            sign_ins = sign_ins.saturating_add(1);
        }
    }
    Representatives {
        lines,
        sign_ins,
        people: population.people.len(),
        targets: population.targets.len(),
        places: population.places.len(),
        circumstances: circumstances.len(),
        thinned,
    }
}

/// The last of a list, which stands for what no policy names.
fn last(list: &[usize]) -> &[usize] {
    list.last().map_or(&[], core::slice::from_ref)
}

/// Adds every combination of the lists, or `most` of them evenly spread; whether some were left out.
fn combine(lists: [&[usize]; 4], most: usize, recipes: &mut BTreeSet<Recipe>) -> bool {
    let count = lists
        .iter()
        .fold(1_usize, |count, list| count.saturating_mul(list.len()));
    let taken = count.min(most);
    for number in 0..taken {
        // Evenly spread over the whole, with the digits of the position as positions in the lists.
        let mut rest = spread(number, count, taken);
        let mut recipe = [0; 4];
        for (digit, list) in recipe.iter_mut().zip(lists) {
            let at = rest.checked_rem(list.len()).unwrap_or_default();
            *digit = list.get(at).copied().unwrap_or_default();
            rest = rest.checked_div(list.len()).unwrap_or_default();
        }
        recipes.insert(recipe);
    }
    taken < count
}

/// The position of the `number`th of `taken` that are evenly spread over `count`.
fn spread(number: usize, count: usize, taken: usize) -> usize {
    let wide = |number| u128::try_from(number).unwrap_or_default();
    let position = wide(number)
        .saturating_mul(wide(count))
        .checked_div(wide(taken));
    usize::try_from(position.unwrap_or_default()).unwrap_or_default()
}

/// The choices that these conditions name, and those that no policy names.
fn named(choices: &[Choice], conditions: &Map<String, Value>, objects: &[&str]) -> Vec<usize> {
    let mut found = BTreeSet::new();
    for object in objects {
        if let Some(Value::Object(members)) = conditions.get(*object) {
            for (_, value) in configured(members) {
                collect(value, &mut found);
            }
        }
    }
    choices
        .iter()
        .enumerate()
        .filter(|(_, choice)| choice.names.is_empty() || choice.is_named_by(&found))
        .map(|(position, _)| position)
        .collect()
}

/// Every word of a value, those inside objects too.
fn collect(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => configured(members).for_each(|(_, value)| collect(value, into)),
        value => {
            for entry in entries(Some(value)) {
                match entry {
                    Ok(text) => {
                        into.extend(text.split(',').map(|word| word.trim().to_ascii_lowercase()))
                    }
                    Err(other) if other.is_object() => collect(other, into),
                    Err(_) => {}
                }
            }
        }
    }
}

fn write(recipe: &Recipe, population: &Population, circumstances: &[Choice]) -> Option<String> {
    let [person, target, place, circumstance] = recipe;
    let chosen = [
        population.people.get(*person)?,
        population.targets.get(*target)?,
        population.places.get(*place)?,
        circumstances.get(*circumstance)?,
    ];
    let mut line = Map::new();
    let mut conditions = Map::new();
    for choice in chosen {
        for (name, value) in &choice.members {
            match (name.as_str(), value) {
                ("signInConditions", Value::Object(members)) => conditions.extend(members.clone()),
                _ => drop(line.insert(name.clone(), value.clone())),
            }
        }
    }
    line.insert("signInConditions".into(), Value::Object(conditions));
    let labels: Vec<&str> = chosen
        .iter()
        .map(|choice| choice.label.as_str())
        .filter(|label| !label.is_empty())
        .collect();
    line.insert("id".into(), labels.join(", ").into());
    Some(canonical(&Value::Object(line)))
}

/// What is named for a condition that is configured, with the fact that carries it and what none of them names.
pub(super) const DIMENSIONS: [Dimension; 8] = [
    Dimension {
        condition: "platforms",
        fact: "devicePlatform",
        values: &[
            "android",
            "iOS",
            "windows",
            "windowsPhone",
            "macOS",
            "linux",
            "",
        ],
        label: "platform",
    },
    Dimension {
        condition: "clientAppTypes",
        fact: "clientAppType",
        values: &[
            "browser",
            "mobileAppsAndDesktopClients",
            "exchangeActiveSync",
            "easSupported",
            "other",
        ],
        label: "client",
    },
    Dimension {
        condition: "signInRiskLevels",
        fact: "signInRiskLevel",
        values: &["none", "low", "medium", "high"],
        label: "sign-in risk",
    },
    Dimension {
        condition: "userRiskLevels",
        fact: "userRiskLevel",
        values: &["none", "low", "medium", "high"],
        label: "user risk",
    },
    Dimension {
        condition: "servicePrincipalRiskLevels",
        fact: "servicePrincipalRiskLevel",
        values: &["none", "low", "medium", "high"],
        label: "service principal risk",
    },
    Dimension {
        condition: "insiderRiskLevels",
        fact: "insiderRiskLevel",
        values: &["none", "minor", "moderate", "elevated"],
        label: "insider risk",
    },
    Dimension {
        condition: "authenticationFlows",
        fact: "authenticationFlow",
        values: &["none", "deviceCodeFlow", "authenticationTransfer"],
        label: "flow",
    },
    Dimension {
        condition: "devices",
        fact: "deviceInfo",
        values: &[
            "unregistered",
            "registered",
            "joined and compliant",
            "hybrid joined and compliant",
        ],
        label: "device",
    },
];

/// A condition that few facts decide.
pub(super) struct Dimension {
    pub(super) condition: &'static str,
    pub(super) fact: &'static str,
    pub(super) values: &'static [&'static str],
    label: &'static str,
}

impl Dimension {
    pub(super) fn fact(&self, value: &str) -> Value {
        match (self.fact, value) {
            ("authenticationFlow", method) => json!({"transferMethod": method}),
            ("deviceInfo", "unregistered") => json!({"deviceId": ""}),
            ("deviceInfo", "registered") => device("Workplace", false),
            ("deviceInfo", "joined and compliant") => device("AzureAD", true),
            ("deviceInfo", _) => device("ServerAD", true),
            (_, name) => name.into(),
        }
    }
}

/// A device of which everything is known, so that every filter can be told.
fn device(trust: &str, compliant: bool) -> Value {
    let mut device = json!({
        "deviceId": "00000000-0000-4000-8000-0000000d0001", "isCompliant": compliant, "trustType": trust,
        "displayName": "", "enrollmentProfileName": "", "manufacturer": "", "mdmAppId": "", "model": "",
        "operatingSystem": "", "operatingSystemVersion": "", "ownership": "", "profileType": "RegisteredDevice",
        "physicalIds": [], "systemLabels": []
    });
    if let Some(members) = device.as_object_mut() {
        for number in 1..=15 {
            members.insert(format!("extensionAttribute{number}"), "".into());
        }
    }
    device
}

/// An ordinary sign-in: a browser on an unregistered Windows device, without any risk.
fn base() -> Choice {
    let mut conditions = Map::new();
    for dimension in &DIMENSIONS {
        let ordinary = match dimension.fact {
            "devicePlatform" => "windows",
            _ => dimension.values.first().copied().unwrap_or_default(),
        };
        conditions.insert(dimension.fact.into(), dimension.fact(ordinary));
    }
    Choice {
        label: String::new(),
        members: Map::from_iter([("signInConditions".to_string(), Value::Object(conditions))]),
        names: Vec::new(),
    }
}

/// Positions of the circumstances that a policy tells apart, those of an ordinary sign-in among them.
fn circumstances_of(conditions: &Map<String, Value>, known: &mut Vec<Choice>) -> Vec<usize> {
    let mut own = Vec::from([base()]);
    for dimension in &DIMENSIONS {
        let mut found = BTreeSet::new();
        match conditions.get(dimension.condition) {
            Some(value) => collect(value, &mut found),
            None => continue,
        }
        // Whoever configures a filter may mean any of the devices.
        let filtered = dimension.condition == "devices" && !found.is_empty();
        let values = dimension
            .values
            .iter()
            .filter(|value| filtered || found.contains(&value.to_ascii_lowercase()));
        let more: Vec<Choice> = values
            .flat_map(|value| own.iter().map(move |choice| vary(choice, dimension, value)))
            .collect();
        own.extend(more);
    }
    own.into_iter()
        .map(|choice| {
            let found = known
                .iter()
                .position(|other| other.members == choice.members);
            found.unwrap_or_else(|| {
                known.push(choice);
                known.len().saturating_sub(1)
            })
        })
        .collect()
}

fn vary(choice: &Choice, dimension: &Dimension, value: &str) -> Choice {
    let mut varied = choice.clone();
    if let Some(Value::Object(conditions)) = varied.members.get_mut("signInConditions") {
        conditions.insert(dimension.fact.into(), dimension.fact(value));
    }
    let shown = if value.is_empty() { "unknown" } else { value };
    let separator = if varied.label.is_empty() { "" } else { ", " };
    varied.label = format!("{}{separator}{} {shown}", varied.label, dimension.label);
    varied
}
