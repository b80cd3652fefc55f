//! What the size of a tenant costs: 10 policies with 10 ranges beside 10,000 policies with 1,000,000 ranges, for a token
//! that eight policies concern in both. Ends with the ratios of the two.
//!
//! Inputs are fixed. The rest of the large tenant's policies are for groups that the user is not in, each with a
//! location of its own, as in a tenant that grew.
#![allow(
    missing_docs,
    reason = "criterion's macros generate undocumented items"
)]
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a bench may fail loudly"
)]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use cae_core::configuration::{Resource, Settings};
use cae_core::policy::{
    Applicability, Candidates, CompileContext, Facts, Identity, PolicySet, PolicySource, Target,
};
use cae_core::state::record::RiskLevel;
use cae_core::token::UserType;
use criterion::{Criterion, criterion_group};
use serde_json::{Value, json};

const USER: &str = "40000000-0000-4000-8000-000000000000";
const APPLICATION: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
/// Policies that concern the token.
const CONCERNED: usize = 8;

/// A tenant of one size.
#[derive(Clone, Copy)]
struct Size {
    name: &'static str,
    policies: usize,
    locations: usize,
    ranges: usize,
}

const SMALL: Size = Size {
    name: "10 policies, 10 ranges",
    policies: 10,
    locations: 10,
    ranges: 10,
};
const LARGE: Size = Size {
    name: "10,000 policies, 1,000,000 ranges",
    policies: 10_000,
    locations: 1_000,
    ranges: 1_000_000,
};

impl Size {
    /// Ranges that do not touch, the first location trusted.
    fn named_locations(self) -> Value {
        let each = self.ranges / self.locations;
        let location = |index: usize| {
            let ranges: Vec<Value> = (0..each)
                .map(|range| {
                    let number = u32::try_from(index * each + range).unwrap();
                    let first = Ipv4Addr::from(0x1400_0000 + number * 16);
                    json!({"cidrAddress": format!("{first}/29")})
                })
                .collect();
            json!({
                "@odata.type": "#microsoft.graph.ipNamedLocation", "id": location_id(index),
                "isTrusted": index == 0, "ipRanges": ranges,
            })
        };
        (0..self.locations).map(location).collect()
    }

    fn policies(self) -> Value {
        let policy = |index: usize| {
            let everybody = index < CONCERNED;
            let users = if everybody {
                json!({"includeUsers": ["All"]})
            } else {
                json!({"includeGroups": [format!("20000000-0000-4000-8000-{index:012}")]})
            };
            let locations = match index % 4 {
                0 => json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
                1 => json!({"includeLocations": [location_id(index % self.locations)]}),
                _ => Value::Null,
            };
            let devices = match index % 4 {
                2 => {
                    json!({"deviceFilter": {"mode": "include", "rule": "device.isCompliant -ne True"}})
                }
                _ => Value::Null,
            };
            json!({
                "id": format!("30000000-0000-4000-8000-{index:012}"), "state": "enabled",
                "conditions": {
                    "users": users, "applications": {"includeApplications": ["All"]},
                    "clientAppTypes": ["all"], "locations": locations, "devices": devices,
                },
                "grantControls": {"operator": "OR", "builtInControls": ["block"]},
            })
        };
        (0..self.policies).map(policy).collect()
    }
}

fn location_id(index: usize) -> String {
    format!("10000000-0000-4000-8000-{index:012}")
}

/// The documents of a tenant, parsed.
struct Tenant {
    policies: Value,
    named_locations: Value,
}

impl Tenant {
    fn new(size: Size) -> Self {
        Self {
            policies: size.policies(),
            named_locations: size.named_locations(),
        }
    }

    fn compile(&self) -> PolicySet {
        let (settings, resource) = (Settings::default(), Resource::default());
        let context = CompileContext {
            settings: &settings,
            resource: &resource,
            enforces_policies: true,
            undetermined_configured: false,
        };
        let source = PolicySource {
            evaluated_by_issuer: true,
            named_locations: Some(&self.named_locations),
            ..PolicySource::new(&self.policies, "/policies")
        };
        PolicySet::compile(&[source], &context).unwrap()
    }
}

fn facts(address: Option<IpAddr>) -> Facts<'static> {
    Facts {
        identity: Identity::User(Some(USER)),
        member_of: Some(&[]),
        roles: Some(&[]),
        user_type: Some(UserType::Member),
        target: Target::Application(Some(APPLICATION)),
        address,
        user_risk: Some(RiskLevel::None),
        ..Facts::UNKNOWN
    }
}

/// Addresses inside and outside of ranges, in every part of the address space.
fn addresses() -> Vec<IpAddr> {
    (0..4_096_u32)
        .map(|number| Ipv4Addr::from(number.wrapping_mul(0x9E37_79B9)).into())
        .collect()
}

/// The policies that apply at all the addresses.
fn decide(set: &PolicySet, candidates: &Candidates, addresses: &[IpAddr]) -> usize {
    addresses
        .iter()
        .map(|address| {
            let facts = facts(Some(*address));
            set.evaluate(candidates, &facts)
                .filter(|(_, applicability)| *applicability == Applicability::Applies)
                .count()
        })
        .sum()
}

/// The quickest of several runs: what the work costs without the rest of the machine.
fn quickest(runs: usize, mut work: impl FnMut()) -> Duration {
    (0..runs)
        .map(|_| {
            let started = Instant::now();
            work();
            started.elapsed()
        })
        .min()
        .unwrap()
}

fn sizes(criterion: &mut Criterion) {
    let addresses = addresses();
    let mut costs = Vec::new();
    for size in [SMALL, LARGE] {
        let tenant = Tenant::new(size);
        let compiling = quickest(5, || {
            black_box(tenant.compile());
        });
        let set = tenant.compile();
        let candidates = set.candidates(&facts(None));
        assert_eq!(candidates.len(), CONCERNED, "{}", size.name);
        criterion.bench_function(&format!("decide, {}", size.name), |bencher| {
            bencher.iter(|| decide(&set, &candidates, black_box(&addresses)));
        });
        criterion.bench_function(&format!("begin, {}", size.name), |bencher| {
            bencher.iter(|| set.candidates(black_box(&facts(None))).len());
        });
        let deciding = quickest(200, || {
            black_box(decide(&set, &candidates, black_box(&addresses)));
        });
        let per_decision = deciding / u32::try_from(addresses.len()).unwrap();
        println!(
            "{}: compiled in {compiling:?}, {per_decision:?} a decision",
            size.name
        );
        costs.push(deciding);
    }
    let ratio = costs[1].as_secs_f64() / costs[0].as_secs_f64();
    println!("a decision in the large tenant costs {ratio:.2} times one in the small tenant");
}

criterion_group!(benches, sizes);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
}
