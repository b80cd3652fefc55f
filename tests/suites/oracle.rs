//! The engine against the reference evaluator, which reads `policy-semantics.md` literally, and the properties of that
//! page (P1 to P8) on the engine.
//!
//! Random, but repeatable: every policy set follows from its seed, and a disagreement names it. `CAE_ORACLE_SEED=7`
//! runs that one alone, `CAE_ORACLE_SETS=100000` runs more than the usual number.
#![cfg(test)]
#![expect(
    clippy::arithmetic_side_effects,
    reason = "numbers that a test chooses itself"
)]

#[path = "oracle/comparison.rs"]
mod comparison;
#[path = "oracle/engine.rs"]
mod engine;
#[path = "oracle/matrix.rs"]
mod matrix;
#[path = "oracle/properties.rs"]
mod properties;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::thread;

use cae_core::configuration::Settings;
use cae_tests::generator::{Material, Random, Vocabulary, sign_in};
use cae_tests::oracle::{Group, Tenant};
use serde_json::Value;

/// Policy sets a run, and sign-ins for each: 100,000 evaluations of a policy set.
const SETS: u64 = 2_000;
const SIGN_INS: usize = 50;
const LARGEST_SET: usize = 6;
/// So many fail, and the rest need not be tried: finding the smallest case takes time.
const ENOUGH_FAILURES: usize = 20;

fn material() -> Material {
    let known = Settings::default().application_groups.into_iter();
    let groups = known.map(|(name, group)| {
        (
            name,
            Group {
                ids: group.ids,
                complete: group.complete,
            },
        )
    });
    Material::read(&groups.collect()).unwrap()
}

/// One policy set with its sign-ins.
struct Case {
    tenant: Tenant,
    near: Vocabulary,
    random: Random,
}

impl Case {
    fn new(material: &Material, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let tenant = material.tenant(&mut random, LARGEST_SET);
        let locations = tenant.named_locations.as_deref().unwrap_or_default();
        let near = Vocabulary::of(&tenant.policies, locations, &tenant.groups);
        Self {
            tenant,
            near,
            random,
        }
    }

    fn sign_in(&mut self, material: &Material, number: usize) -> Value {
        sign_in(
            &mut self.random,
            &self.near,
            &material.vocabulary,
            &format!("sign-in {number}"),
        )
    }
}

/// The seeds to run: one, or the usual ones, or more.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    match number("CAE_ORACLE_SEED") {
        Some(seed) => seed..seed + 1,
        None => {
            0..number("CAE_ORACLE_SETS").map_or(usual, |sets| sets.saturating_mul(usual) / SETS)
        }
    }
}

/// Runs `check` for every seed, on all processors, and fails with what it finds wrong.
fn for_every_seed(
    usual: u64,
    check: impl Fn(&Material, u64) -> Result<Seen, String> + Sync,
) -> Seen {
    let material = &material();
    let seeds = &seeds(usual);
    let check = &check;
    let workers = thread::available_parallelism().map_or(1, |count| count.get());
    let workers = u64::try_from(workers).unwrap();
    let found: Vec<(u64, Result<Seen, String>)> = thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|worker| {
                let mine = seeds.clone().filter(move |seed| seed % workers == worker);
                scope.spawn(move || {
                    let (mut results, mut failures) = (Vec::new(), 0);
                    for seed in mine {
                        let result = check(material, seed);
                        failures += usize::from(result.is_err());
                        results.push((seed, result));
                        if failures >= ENOUGH_FAILURES {
                            break;
                        }
                    }
                    results
                })
            })
            .collect();
        handles
            .into_iter()
            .flat_map(|handle| handle.join().unwrap())
            .collect()
    });
    let mut all = Seen::default();
    let mut failures: BTreeMap<String, String> = BTreeMap::new();
    for (seed, result) in found {
        match result {
            Ok(seen) => all.add(seen),
            Err(failure) => {
                let kind = failure.lines().next().unwrap_or_default().to_owned();
                failures
                    .entry(kind)
                    .or_insert_with(|| format!("CAE_ORACLE_SEED={seed}\n{failure}"));
            }
        }
    }
    let kinds: Vec<String> = failures.into_values().take(12).collect();
    assert!(
        kinds.is_empty(),
        "one case of each kind of fault\n\n{}",
        kinds.join("\n\n")
    );
    println!(
        "seeds {} to {}: {} evaluations",
        seeds.start,
        seeds.end - 1,
        all.evaluations
    );
    all
}

/// What a run came across, so that a generator that finds nothing is noticed.
#[derive(Default)]
struct Seen {
    evaluations: usize,
    words: BTreeSet<String>,
}

impl Seen {
    fn note(&mut self, answer: &Value) {
        self.evaluations += 1;
        let mut note = |kind: &str, word: &Value| {
            self.words
                .insert(format!("{kind} {}", word.as_str().unwrap_or("?")));
        };
        note("answer", &answer["result"]);
        for row in answer["policies"].as_array().into_iter().flatten() {
            note("applies", &row["applies"]);
            note("result", &row["result"]);
            for (kind, member) in [("reason", "analysisReasons"), ("unknown", "unknown")] {
                row[member]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .for_each(|name| note(kind, name));
            }
        }
        for name in answer["sessionControls"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            self.words.insert(format!("session {name}"));
        }
    }

    fn add(&mut self, other: Self) {
        self.evaluations += other.evaluations;
        self.words.extend(other.words);
    }
}
