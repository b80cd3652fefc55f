//! Random policy sets and random sign-ins, drawn from what policies themselves name, plus strangers.
//!
//! Everything follows from a seed: the same seed and the same files give the same cases.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers that a generator chooses itself"
)]

mod mutation;
mod random;
mod reduce;
mod sign_in;
mod vocabulary;

use std::io;

use serde_json::{Value, json};

use crate::oracle::{Groups, Tenant};
use crate::places;
pub use random::Random;
pub use reduce::reduce;
pub use sign_in::sign_in;
pub use vocabulary::Vocabulary;

/// Everything that policy sets are drawn from.
pub struct Material {
    /// Policies: collected ones, and those of our own writing.
    pub policies: Vec<Value>,
    /// Named locations, likewise.
    pub locations: Vec<Value>,
    /// What all of them name.
    pub vocabulary: Vocabulary,
    groups: Groups,
}

impl Material {
    /// Reads the test vectors. `groups` is the table of application groups that is in force.
    ///
    /// # Errors
    /// A file is missing or not JSON lines.
    pub fn read(groups: &Groups) -> io::Result<Self> {
        let mut policies = places::vectors("graph-policies.jsonl")?;
        policies.extend(places::own_vectors("what-if-policies.jsonl")?);
        let mut locations = places::vectors("graph-named-locations.jsonl")?;
        locations.extend(places::own_vectors("what-if-named-locations.jsonl")?);
        let policies: Vec<Value> = policies
            .iter_mut()
            .map(|line| line["policy"].take())
            .collect();
        let locations: Vec<Value> = locations
            .iter_mut()
            .map(|line| line["location"].take())
            .collect();
        let vocabulary = Vocabulary::of(&policies, &locations, groups);
        Ok(Self {
            policies,
            locations,
            vocabulary,
            groups: groups.clone(),
        })
    }

    /// A policy set with the named locations beside it. `largest` is the greatest number of policies.
    #[must_use]
    pub fn tenant(&self, random: &mut Random, largest: usize) -> Tenant {
        let count = 1 + random.below(largest);
        let mut policies: Vec<Value> = Vec::new();
        while policies.len() < count {
            let mut policy = random.pick(&self.policies).clone();
            // Collected policies are often disabled, and for few: more apply than an export has of them.
            match random.below(8) {
                0..=3 => policy["state"] = "enabled".into(),
                4 => policy["state"] = "enabledForReportingButNotEnforced".into(),
                _ => {}
            }
            if random.one_in(3) {
                policy["conditions"]["users"] = json!({"includeUsers": ["All"]});
            }
            if random.one_in(3) {
                policy["conditions"]["applications"] = json!({"includeApplications": ["All"]});
            }
            for _ in 0..*random.pick(&[0, 0, 1, 1, 2, 4]) {
                mutation::mutate(random, &mut policy, self);
            }
            // Which of two policies with one id an answer means could not be told.
            let has_same_id = policies.iter().any(|other| other["id"] == policy["id"]);
            if has_same_id && policy["id"] != "" && !policy["id"].is_null() {
                continue;
            }
            policies.push(policy);
        }
        let named_locations = (!random.one_in(12)).then(|| self.named_locations(random, &policies));
        Tenant {
            policies,
            named_locations,
            groups: self.groups.clone(),
        }
    }

    /// Most of the locations that there are; some under the ids that the policies name and no file defines.
    fn named_locations(&self, random: &mut Random, policies: &[Value]) -> Vec<Value> {
        if random.one_in(12) {
            return Vec::new();
        }
        let mut locations: Vec<Value> = self
            .locations
            .iter()
            .filter(|_| !random.one_in(5))
            .cloned()
            .collect();
        for id in vocabulary::location_ids(policies) {
            if random.one_in(2) {
                let mut location = random.pick(&self.locations).clone();
                location["id"] = id.into();
                locations.push(location);
            }
        }
        locations
    }
}
